// Numbers, instants and sizes as the window's language writes them.
import { locale } from "./i18n/i18n.svelte";

const made = new Map<string, unknown>();

/** Formatters are costly to make, so each is made once per language. */
function kept<T>(name: string, make: (locale: string) => T): T {
  const key = `${locale()} ${name}`;
  const found = made.get(key) ?? make(locale());
  made.set(key, found);
  return found as T;
}

export const number = (value: number): string =>
  kept("number", (tag) => new Intl.NumberFormat(tag)).format(value);

/** For instance `12 Mar 2026, 14:05:09`. */
export const dateTime = (at: number): string =>
  kept(
    "dateTime",
    (tag) =>
      new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "short" }),
  ).format(at);

export const time = (at: number): string =>
  kept(
    "time",
    (tag) => new Intl.DateTimeFormat(tag, { timeStyle: "short" }),
  ).format(at);

/** Today's instants as a time, this year's as a day, older ones as a date: what a list has room for. */
export function shortDate(at: number, now: number): string {
  const then = new Date(at);
  const today = new Date(now);
  if (then.toDateString() === today.toDateString()) return time(at);
  const year = then.getFullYear() !== today.getFullYear();
  return kept(
    `day ${year}`,
    (tag) =>
      new Intl.DateTimeFormat(tag, {
        day: "numeric",
        month: "short",
        ...(year && { year: "numeric" }),
      }),
  ).format(at);
}

/** UTC, as support desks want it: `2026-03-12 13:05:09 UTC`. */
export const utc = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** For instance `A, B or C`. */
export const either = (words: string[]): string =>
  kept(
    "either",
    (tag) => new Intl.ListFormat(tag, { type: "disjunction" }),
  ).format(words);

type Unit = "second" | "minute" | "hour" | "day";

/** The largest unit that says enough, and how many of it. */
function largest(seconds: number): [number, Unit] {
  if (seconds < 60) return [Math.round(seconds), "second"];
  if (seconds < 3600) return [Math.round(seconds / 60), "minute"];
  if (seconds < 86_400) return [Math.round(seconds / 3600), "hour"];
  return [Math.round(seconds / 86_400), "day"];
}

/** For instance `3 min`. */
export function duration(seconds: number): string {
  const [amount, unit] = largest(Math.max(0, seconds));
  return kept(
    unit,
    (tag) =>
      new Intl.NumberFormat(tag, {
        style: "unit",
        unit,
        unitDisplay: unit === "day" ? "long" : "short",
      }),
  ).format(amount);
}

/** How long an answer took, for instance `38 ms` or `1.4 s`. */
export function took(ms: number): string {
  const short = Math.abs(ms) < 1000;
  return kept(
    `took ${short}`,
    (tag) =>
      new Intl.NumberFormat(tag, {
        style: "unit",
        unit: short ? "millisecond" : "second",
        unitDisplay: "short",
        maximumFractionDigits: short ? 0 : 1,
      }),
  ).format(short ? ms : ms / 1000);
}

/** For instance `A and B`. */
export const both = (words: string[]): string =>
  kept(
    "both",
    (tag) => new Intl.ListFormat(tag, { type: "conjunction" }),
  ).format(words);

/** Japanese writes `3分前`, which only the narrow style gives; the others would lose their words by it. */
const brief = () => (locale().startsWith("ja") ? "narrow" : "short");

/** For instance `4 min ago`. */
export function ago(at: number, now: number): string {
  const [amount, unit] = largest(Math.max(0, (now - at) / 1000));
  return kept(
    "ago",
    (tag) =>
      new Intl.RelativeTimeFormat(tag, { numeric: "auto", style: brief() }),
  ).format(-amount, unit);
}

/** A day, for instance `12 March 2026`. */
export const day = (at: number): string =>
  kept(
    "day long",
    (tag) => new Intl.DateTimeFormat(tag, { dateStyle: "long" }),
  ).format(at);

/** Whole days from now, for instance `in 12 days` or `3 days ago`. */
export const inDays = (days: number): string =>
  kept(
    "in days",
    (tag) => new Intl.RelativeTimeFormat(tag, { numeric: "auto" }),
  ).format(days, "day");

/** A countdown, for instance `4:07`. */
export function countdown(seconds: number): string {
  const left = Math.max(0, Math.round(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}

/** For instance `1.4 MB`. */
export function bytes(size: number): string {
  const [amount, unit] =
    size < 1000
      ? [size, "byte"]
      : size < 1_000_000
        ? [size / 1000, "kilobyte"]
        : [size / 1_000_000, "megabyte"];
  return kept(
    `size ${unit}`,
    (tag) =>
      new Intl.NumberFormat(tag, {
        style: "unit",
        unit: unit as string,
        // Only the long words have a plural: `352 byte` is none.
        unitDisplay: unit === "byte" ? "long" : "short",
        maximumFractionDigits: 1,
      }),
  ).format(amount as number);
}
