import type { ImportView } from "../bindings";

/** How much of an import is done, from 0 to 1; nothing while the list is still being read. */
export function importShare(view: ImportView): number | null {
  if (view.state === "listing" || view.totals.found === 0) return null;
  return 1 - view.pending / view.totals.found;
}
