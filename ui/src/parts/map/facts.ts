// The values that a station shows, named and written as the window's language writes them.
import { bytes, dateTime, number, took } from "../../format";
import { t, word } from "../../i18n/i18n.svelte";
import type { Fact } from "../Facts.svelte";

/** Known names in the order in which they are shown; others follow. */
const order = [
  "authority_host",
  "authority_ip",
  "authority_connect_ms",
  "authority_answer_ms",
  "authority_tls",
  "authority_http",
  "graph_host",
  "graph_ip",
  "graph_connect_ms",
  "graph_answer_ms",
  "graph_tls",
  "graph_http",
  "imap_host",
  "smtp_host",
  "size_limit",
  "sent_copy",
  "sent_folder",
  "sent_mailbox",
  "login",
  "name",
  "primary",
  "aliases",
  "mailbox",
  "folder",
  "messages",
  "room_taken",
  "newest_at",
  "last_success_at",
  "needed",
  "granted",
  "missing",
  "waiting_since_at",
  "pending",
  "refused_at",
  "tested_at",
  "arrived_at",
  "round_trip_ms",
  "asked_at",
  "expires_at",
  "asked_again_at",
  "wait_ms",
  "clock_ahead_ms",
  "issuer",
  "tenant_id",
  "object_id",
];
const place = (name: string) => {
  const at = order.indexOf(name);
  return at < 0 ? order.length : at;
};
const codes = /^(tenant_id|object_id|issuer|missing)$|_ip$|_host$/;

function said(name: string, value: string): string {
  if (value === "yes" || value === "no") return t(`fact.${value}`);
  if (name === "sent_copy")
    return word("fact", `sent.${value}`, "fact.other", { value });
  const amount = Number(value);
  if (name === "size_limit" && Number.isFinite(amount)) return bytes(amount);
  if (!Number.isFinite(amount)) return value;
  if (name.endsWith("_at")) return dateTime(amount);
  if (name.endsWith("_ms")) return took(amount);
  return /^\d{1,9}$/.test(value) ? number(amount) : value;
}

/** Facts as a list of names and values. */
export const shown = (facts: Record<string, string>): Fact[] =>
  Object.entries(facts)
    .toSorted(([a], [b]) => place(a) - place(b) || a.localeCompare(b))
    .map(([name, value]) => ({
      name: word("fact", name, "fact.other", { value: name }).replaceAll(
        "_",
        " ",
      ),
      value: said(name, value),
      code: codes.test(name),
    }));
