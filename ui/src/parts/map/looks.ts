// How stations look: a picture for each, a shape and a tone for each state. The words come from the catalogue.
import AppWindow from "@lucide/svelte/icons/app-window";
import BookmarkCheck from "@lucide/svelte/icons/bookmark-check";
import Check from "@lucide/svelte/icons/check";
import FolderOpen from "@lucide/svelte/icons/folder-open";
import Globe from "@lucide/svelte/icons/globe";
import KeyRound from "@lucide/svelte/icons/key-round";
import Laptop from "@lucide/svelte/icons/laptop";
import Lock from "@lucide/svelte/icons/lock";
import LockOpen from "@lucide/svelte/icons/lock-open";
import LogIn from "@lucide/svelte/icons/log-in";
import Mailbox from "@lucide/svelte/icons/mailbox";
import MailOpen from "@lucide/svelte/icons/mail-open";
import Minus from "@lucide/svelte/icons/minus";
import CircleQuestionMark from "@lucide/svelte/icons/circle-question-mark";
import Repeat from "@lucide/svelte/icons/repeat";
import Send from "@lucide/svelte/icons/send";
import ShieldCheck from "@lucide/svelte/icons/shield-check";
import TriangleAlert from "@lucide/svelte/icons/triangle-alert";
import X from "@lucide/svelte/icons/x";
import type { Station, StationState, StationView } from "../../bindings";
import type { Tone } from "../status";

type Icon = typeof Check;

export const pictures: Record<Station, Icon> = {
  computer: Laptop,
  network: Globe,
  registration: AppWindow,
  sign_in: LogIn,
  consent: ShieldCheck,
  token: KeyRound,
  mailbox: Mailbox,
  mailbox_right: LockOpen,
  folder: FolderOpen,
  fetch: MailOpen,
  mark: BookmarkCheck,
  send: Send,
  round_trip: Repeat,
};

export const states: Record<StationState, { icon: Icon; tone: Tone }> = {
  ok: { icon: Check, tone: "good" },
  warning: { icon: TriangleAlert, tone: "warn" },
  failed: { icon: X, tone: "bad" },
  blocked: { icon: Lock, tone: "quiet" },
  unknown: { icon: CircleQuestionMark, tone: "quiet" },
  not_needed: { icon: Minus, tone: "quiet" },
};

/** The line that leaves a station: mail passes, mail stops before the next one, or nobody knows yet. */
export type Way = "open" | "cut" | "dim";

/** How far mail gets, as the line behind each station. */
export function ways(stations: StationView[]): Way[] {
  let way: Way = "open";
  return stations.map(({ state }, at) => {
    const stops = (one: StationState | undefined) =>
      one === "failed" || one === "blocked";
    if (stops(state) || stations[at + 1]?.state === "blocked") way = "cut";
    else if (way === "open" && state === "unknown") way = "dim";
    const unknownNext = stations[at + 1]?.state === "unknown";
    return way === "open" && unknownNext ? "dim" : way;
  });
}

/** The station to look at first: one that failed, else one that needs a look. */
export const worst = (stations: StationView[]): StationView | undefined =>
  stations.find((one) => one.state === "failed") ??
  stations.find((one) => one.state === "warning");
