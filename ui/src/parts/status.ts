// How a status looks: a shape and a tone each; the word comes from the catalogue. Listed best first, as the core orders them.
import CircleArrowDown from "@lucide/svelte/icons/circle-arrow-down";
import CircleCheck from "@lucide/svelte/icons/circle-check";
import CirclePause from "@lucide/svelte/icons/circle-pause";
import Hourglass from "@lucide/svelte/icons/hourglass";
import OctagonX from "@lucide/svelte/icons/octagon-x";
import TriangleAlert from "@lucide/svelte/icons/triangle-alert";
import Unplug from "@lucide/svelte/icons/unplug";
import WifiOff from "@lucide/svelte/icons/wifi-off";
import type { Status } from "../bindings";

export type Tone = "good" | "accent" | "quiet" | "warn" | "bad";

export const looks: Record<Status, { icon: typeof CircleCheck; tone: Tone }> = {
  verified: { icon: CircleCheck, tone: "good" },
  importing: { icon: CircleArrowDown, tone: "accent" },
  paused: { icon: CirclePause, tone: "quiet" },
  offline: { icon: WifiOff, tone: "quiet" },
  attention: { icon: TriangleAlert, tone: "warn" },
  waiting_for_approval: { icon: Hourglass, tone: "warn" },
  failed: { icon: OctagonX, tone: "bad" },
  disconnected: { icon: Unplug, tone: "quiet" },
};

/** How urgent a status is: greater is worse. */
export const urgency = (status: Status): number =>
  Object.keys(looks).indexOf(status);

/** Whether a person should look at it. */
export const needsCare = (status: Status): boolean =>
  ["attention", "waiting_for_approval", "failed"].includes(status);
