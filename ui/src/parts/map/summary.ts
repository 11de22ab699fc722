import type { ConnectionMap } from "../../bindings";
import { both, took } from "../../format";
import { t } from "../../i18n/i18n.svelte";

/** How far mail gets, in one sentence, and how long finding out took. */
export function summary({ stations }: ConnectionMap): string {
  const failed = stations.find((one) => one.state === "failed");
  const stop = stations.find((one) => one.state === "blocked")?.blocked_by;
  const warned = stations.filter((one) => one.state === "warning");
  const spent = stations.reduce((sum, one) => sum + (one.took_ms ?? 0), 0);
  const time = took(spent);
  if (failed)
    return t("map.stops", { station: t(`station.${failed.station}`), time });
  if (stop) return t("map.waits", { station: t(`station.${stop}`), time });
  const known = stations.some((one) => one.state === "ok");
  if (!known) return t("map.dark");
  if (warned.length)
    return t("map.warned", {
      stations: both(warned.map((one) => t(`station.${one.station}`))),
      count: warned.length,
      time,
    });
  return stations.some((one) => one.state === "unknown")
    ? t("map.fine", { time })
    : t("map.through", { time });
}
