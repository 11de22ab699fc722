// The catalogue's cards, read from the plain text that the core's tests keep true: what is shown here is what people get.
import type { Card, Explanation, Fixer } from "../bindings";
import de from "../../../src-tauri/crates/core/src/diagnosis/catalogue/snapshots/de.txt?raw";
import en from "../../../src-tauri/crates/core/src/diagnosis/catalogue/snapshots/en.txt?raw";
import ja from "../../../src-tauri/crates/core/src/diagnosis/catalogue/snapshots/ja.txt?raw";
import { evidence } from "./data";

export type Language = "en" | "de" | "ja";

const fixers: Record<string, Fixer> = {
  You: "you",
  "Tenant admin (Entra)": "tenant_admin",
  "Mailbox admin (Exchange)": "mailbox_admin",
  "Owner of the app registration": "app_owner",
  "Nobody: Mailroom tries again": "nobody",
};

// The values in the text, and the argument that each stands for.
const samples = {
  "support@contoso.example": "address",
  "kim@contoso.example": "login",
  "mail.contoso.example": "host",
  "Requests/Tech": "folder",
};
// Where the text has no value for a code but a blank in pointed brackets: the arguments that belong there.
const blanks: Record<string, string[]> = {
  unknown: ["code"],
  forwarding_rule: ["target", "rule"],
  forecast_certificate: ["issuer"],
  forecast_app_secret: ["what"],
  forecast_app_certificate: ["what"],
};

function read(text: string): Map<string, string> {
  return new Map(
    text
      .split(/^== /m)
      .slice(1)
      .map((entry) => [entry.slice(0, entry.indexOf(" [")), entry]),
  );
}
const catalogues = { en: read(en), de: read(de), ja: read(ja) };

const pair = (line: string): [string, string] => {
  const at = line.lastIndexOf(" | ");
  return [line.slice(2, at), line.slice(at + 3)];
};
const labels = (entry: string) =>
  (/^-> (.+)$/m.exec(entry)?.[1] ?? "").split(" / ");

/** What the core's catalogue says of a code, with the arguments that are given. */
export function card(
  code: string,
  language: Language,
  args: Record<string, string> = {},
): Card {
  const all = catalogues[language];
  const known = all.has(code);
  const name = known ? code : "unknown";
  const given: Record<string, string> = { code, ...args };
  let entry = all.get(name) ?? "";
  [...new Set(entry.match(/<[^>]*>/g))].forEach((blank, at) => {
    entry = entry.replaceAll(blank, given[blanks[name]?.[at] ?? ""] ?? blank);
  });
  for (const [sample, argument] of Object.entries(samples))
    entry = entry.replaceAll(sample, given[argument] ?? sample);
  const [head = "", meaning = "", , ...lines] = entry.trim().split("\n");
  const starting = (sign: RegExp) => lines.filter((line) => sign.test(line));
  return {
    code,
    title: head.slice(head.indexOf("] ") + 2),
    meaning,
    severity: head.includes("[Failed]")
      ? "failed"
      : head.includes("[Warning]")
        ? "warning"
        : "ok",
    fixers: labels(catalogues.en.get(name) ?? "").map(
      (label) => fixers[label]!,
    ),
    fixer_labels: labels(entry),
    steps: starting(/^\d+\. /).map((line) => line.replace(/^\d+\. /, "")),
    links: starting(/^@ /).map((line) => {
      const [url, label] = pair(line);
      return { label, url };
    }),
    commands: starting(/^[>!] /).map((line) => {
      const [text, label] = pair(line);
      return { label, text, writes: line.startsWith("!") };
    }),
    notes: starting(/^\* /).map((line) => line.slice(2)),
    known,
  };
}

/** The words for somebody who can mend a thing. */
export function fixerLabel(fixer: Fixer, language: Language): string {
  for (const [code, entry] of catalogues.en) {
    const at = labels(entry).findIndex((label) => fixers[label] === fixer);
    if (at >= 0) return labels(catalogues[language].get(code) ?? "")[at] ?? "";
  }
  return "";
}

/** What the core would say of a pasted text: the first code in it, else the generic card. */
export function explanations(text: string, language: Language): Explanation[] {
  const matched = /AADSTS\d+/.exec(text)?.[0] ?? "";
  return [
    {
      card: card(matched || "unknown", language),
      matched,
      raw: text.slice(0, 4000),
      details: matched
        ? {
            correlation_id: evidence.correlation_id ?? "",
            timestamp: "2026-11-21 13:05:09Z",
          }
        : {},
    },
  ];
}
