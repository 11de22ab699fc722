// Dates on which something ends, put together for drawing: the same thing on the same day is said once.
import CalendarX from "@lucide/svelte/icons/calendar-x";
import CircleCheck from "@lucide/svelte/icons/circle-check";
import TriangleAlert from "@lucide/svelte/icons/triangle-alert";
import type { ForecastItem, Finding } from "../bindings";
import type { Tone } from "./status";

/** How an item looks; the word comes from the catalogue. */
export const severities: Record<
  Finding["severity"],
  { icon: typeof CalendarX; tone: Tone }
> = {
  ok: { icon: CircleCheck, tone: "good" },
  warning: { icon: TriangleAlert, tone: "warn" },
  failed: { icon: CalendarX, tone: "bad" },
};

/** Something that ends on one day, for one address or for several. */
export interface Ending {
  key: string;
  item: ForecastItem;
  addresses: string[];
}

/** Whether somebody has to do something. */
export const needsSomebody = (item: ForecastItem): boolean =>
  item.severity !== "ok";

/** All items of all addresses, soonest first. */
export function endings(
  all: { address: string; items: ForecastItem[] }[],
): Ending[] {
  const found = new Map<string, Ending>();
  for (const { address, items } of all)
    for (const item of items) {
      const day = new Date(item.at).toDateString();
      const { host = "", what = "" } = item.args;
      const key = [item.code, item.severity, day, host, what].join(" ");
      const same = found.get(key);
      if (same) same.addresses.push(address);
      else found.set(key, { key, item, addresses: [address] });
    }
  return [...found.values()].toSorted((a, b) => a.item.at - b.item.at);
}
