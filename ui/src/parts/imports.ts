import type { ImportView } from "../bindings";

/** How much of an import is done, from 0 to 1; nothing while the list is still being read. */
export function importShare(view: ImportView): number | null {
  if (view.state === "listing" || view.totals.found === 0) return null;
  return 1 - view.pending / view.totals.found;
}

const day = 86_400_000;

/** Whether an import is still worth a place: it goes on, or it ended within the last day. */
export const isRecent = (view: ImportView, now: number): boolean =>
  view.ended_at === null || now - view.ended_at < day;

/** The import, while there is one to wait for. */
export const underway = (view: ImportView | null): ImportView | null =>
  view && ["listing", "running", "paused"].includes(view.state) ? view : null;
