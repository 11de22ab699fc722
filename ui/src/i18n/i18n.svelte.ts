// Words for people. English is the catalogue that decides which keys exist; a key that German or Japanese lacks
// is a type error here, and a key they have too many is a failing test.
import { IntlMessageFormat } from "intl-messageformat";
import de from "./de.json";
import en from "./en.json";
import ja from "./ja.json";

export type Key = keyof typeof en;
export type Language = "en" | "de" | "ja";
export type Values = Record<string, string | number | undefined>;

export const languages: readonly Language[] = ["en", "de", "ja"];
const catalogues: Record<Language, Record<Key, string>> = { en, de, ja };
const formats = new Map<string, IntlMessageFormat>();
const chosen = $state<{ language: Language }>({ language: systemLanguage() });

/** The language the system asks for, or English. */
export function systemLanguage(): Language {
  const wanted = navigator.languages ?? [navigator.language];
  for (const tag of wanted) {
    const found = languages.find((one) => tag.toLowerCase().startsWith(one));
    if (found) return found;
  }
  return "en";
}

/** The language of the window now. */
export const language = () => chosen.language;

/** The tag that dates and numbers follow: the system's own variant of the language where there is one. */
export function locale(): string {
  const variant = navigator.languages?.find((tag) =>
    tag.toLowerCase().startsWith(`${chosen.language}-`),
  );
  return variant ?? chosen.language;
}

/** Sets the language; nothing means the system's. */
export function setLanguage(wanted: string | null): void {
  chosen.language = languages.find((one) => one === wanted) ?? systemLanguage();
  document.documentElement.lang = chosen.language;
}

// Values come from the core too; one that it left out must not cost the whole sentence.
const lenient: ProxyHandler<Values> = {
  has: () => true,
  get: (values, name) => values[name as string] ?? "",
};

/** The words of a key in the window's language, with its placeholders filled. */
export function t(key: Key, values?: Values): string {
  const name = `${locale()} ${key}`;
  let format = formats.get(name);
  if (!format) {
    format = new IntlMessageFormat(
      catalogues[chosen.language][key],
      locale(),
      undefined,
      { ignoreTag: true },
    );
    formats.set(name, format);
  }
  return String(format.format(new Proxy(values ?? {}, lenient)));
}

/** The words for a value that the core names, for instance an event; other values get the words of `fallback`. */
export function word(
  prefix: string,
  value: string,
  fallback: Key,
  values?: Values,
): string {
  const key = `${prefix}.${value}`;
  return key in en ? t(key as Key, values) : t(fallback, { ...values, value });
}
