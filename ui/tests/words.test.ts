import { parse, TYPE } from "@formatjs/icu-messageformat-parser";
import { expect, test } from "vitest";
import de from "../src/i18n/de.json";
import en from "../src/i18n/en.json";
import { setLanguage, t, word } from "../src/i18n/i18n.svelte";
import ja from "../src/i18n/ja.json";

type Tree = ReturnType<typeof parse>;

/** The names of all placeholders of a message, those inside plurals too. */
function placeholders(tree: Tree, into = new Set<string>()): string[] {
  for (const part of tree) {
    if (part.type === TYPE.literal || part.type === TYPE.pound) continue;
    if ("value" in part) into.add(part.value);
    if ("options" in part)
      for (const option of Object.values(part.options))
        placeholders(option.value, into);
  }
  return [...into].sort();
}

for (const [name, words] of Object.entries({ de, ja })) {
  test(`${name} has the same keys as English`, () => {
    expect(Object.keys(words).sort()).toEqual(Object.keys(en).sort());
  });

  test(`${name} fills the same placeholders as English`, () => {
    for (const [key, text] of Object.entries(words))
      expect(placeholders(parse(text)), key).toEqual(
        placeholders(parse(en[key as keyof typeof en])),
      );
  });

  test(`${name} is translated`, () => {
    const same = Object.entries(words).filter(
      ([key, text]) => text === en[key as keyof typeof en],
    );
    // Product names, technical terms, and words that are the same in German.
    expect(same.length).toBeLessThan(40);
  });
}

test("no words blame or belittle", () => {
  const unwelcome = /\b(simply|just|easy|invalid|illegal|einfach|ungültig)\b/i;
  for (const text of [...Object.values(en), ...Object.values(de)])
    expect(text).not.toMatch(unwelcome);
});

test("Japanese addresses people politely in whole sentences", () => {
  const sentences = Object.values(ja).filter((text) => text.endsWith("。"));
  for (const text of sentences)
    expect(text).toMatch(
      /(ます|です|ません|ました|ください|でした|件)(（.*）)?。$/u,
    );
});

test("plurals follow the number", () => {
  setLanguage("en");
  expect(t("tickets.found", { count: 0 })).toBe("No tickets");
  expect(t("tickets.found", { count: 1 })).toBe("1 ticket");
  expect(t("tickets.found", { count: 2000 })).toMatch(/2,000 tickets/);
});

test("a value that the core left out costs only itself", () => {
  expect(t("error.address_in_use.next", {})).toContain("connection");
});

test("an unknown word of the core is shown as it is", () => {
  expect(word("reason", "brand_new", "reason.other")).toBe("Reason: brand_new");
  expect(word("reason", "gone", "reason.other")).not.toContain("gone.");
});
