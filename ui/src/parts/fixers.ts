import type { Card } from "../bindings";
import { either } from "../format";
import { t } from "../i18n/i18n.svelte";

/** Who can mend it, in words; "nobody" needs no introduction. */
export function whoFixes({ fixers, fixer_labels }: Card): string {
  const who = either(fixer_labels);
  return fixers.includes("nobody") ? who : t("row.who", { who });
}
