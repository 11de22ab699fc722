// What a hand-off is made for, in the window.
import type { Finding, HandOff, HandOffFor, HandOffKind } from "../bindings";
import { dateTime } from "../format";
import { t } from "../i18n/i18n.svelte";

/** A finding that somebody else can mend, and whose it is. */
export interface Asked {
  whom: HandOffFor;
  code: string;
  kind: HandOffKind;
}

/** What is to be asked for a finding; nothing where nobody else can mend it. */
export function asked(finding: Finding, whom: HandOffFor): Asked | null {
  const kind = finding.hand_off;
  // Behind the same answer twice stands the answer.
  const code = finding.args.said ?? finding.code;
  return kind ? { whom, code, kind } : null;
}

/** How it will be noticed that somebody acted. */
export function howNoticed(one: HandOff): string {
  if (one.recheck === "sign_in")
    return one.address_id === null
      ? t("handoff.signin")
      : t("handoff.signinAgain");
  if (one.recheck === "test_mail") return t("handoff.testmail");
  return one.kind === "mailbox" ? t("handoff.exchange") : t("handoff.quiet");
}

/** That the request was mailed, if it was. */
export function howMailed({ mailed }: HandOff): string | null {
  if (!mailed) return null;
  const { from, to, at } = mailed;
  const values = { from, to, time: dateTime(at) };
  return mailed.unsure
    ? t("handoff.mailUnsure", values)
    : t("handoff.mailed", values);
}
