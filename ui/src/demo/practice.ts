// A few of the failures that can be practised, for looking at the screens without a core.
import type { ExerciseView, Fixer, PracticeView } from "../bindings";
import { card, fixerLabel, type Language } from "./cards";
import { sandbox } from "./data";

type Row = [
  string,
  string,
  Fixer,
  ExerciseView["mend"],
  ExerciseView["strikes"],
  Record<Language, string>,
];

const rows: Row[] = [
  [
    "token-revoked",
    "AADSTS50173",
    "you",
    "sign_in",
    "connection",
    {
      en: "Sign-ins were revoked, as after a password change",
      de: "Anmeldungen wurden widerrufen, wie nach einem Kennwortwechsel",
      ja: "パスワード変更などでサインインが取り消された",
    },
  ],
  [
    "wrong-account",
    "wrong_account",
    "you",
    "sign_in",
    "sign_in",
    {
      en: "The browser is signed in to another account",
      de: "Der Browser ist mit einem anderen Konto angemeldet",
      ja: "ブラウザーが別のアカウントでサインインしている",
    },
  ],
  [
    "admin-approval",
    "AADSTS90094",
    "tenant_admin",
    "grant_consent",
    "connection",
    {
      en: "Users may not consent: an admin has to approve",
      de: "Benutzer dürfen nicht zustimmen: Ein Admin muss genehmigen",
      ja: "ユーザーは同意できず、管理者の承認が必要",
    },
  ],
  [
    "quota-full",
    "ErrorQuotaExceeded",
    "mailbox_admin",
    "switch",
    "sending",
    {
      en: "The mailbox is full",
      de: "Das Postfach ist voll",
      ja: "メールボックスの容量が不足している",
    },
  ],
  [
    "public-client-off",
    "AADSTS7000218",
    "app_owner",
    "switch",
    "connection",
    {
      en: "Public client flows are not allowed",
      de: "Öffentliche Clientflows sind nicht erlaubt",
      ja: "パブリック クライアント フローが許可されていない",
    },
  ],
  [
    "throttled",
    "throttled",
    "nobody",
    "passes",
    "connection",
    {
      en: "Microsoft asks to slow down",
      de: "Microsoft bittet darum, seltener abzufragen",
      ja: "アクセスの頻度を下げるよう求められている",
    },
  ],
];

const mend: Record<string, Record<Language, string>> = {
  sign_in: {
    en: "Sign in again with the mailbox’s account and accept what the browser asks.",
    de: "Melden Sie sich mit dem Konto des Postfachs neu an und bestätigen Sie, was der Browser fragt.",
    ja: "メールボックスのアカウントで再度サインインし、ブラウザーに表示される内容を承諾します。",
  },
  passes: {
    en: "Nobody has to act: in reality it passes by itself. Here it passes when you choose “Let it pass”.",
    de: "Niemand muss handeln: In Wirklichkeit geht es von selbst vorüber. Hier geht es vorüber, wenn Sie „Vorübergehen lassen“ wählen.",
    ja: "対応は不要で、実際には時間がたてば解消します。ここでは「解消させる」を選ぶと解消します。",
  },
  other: {
    en: "Open “Enterprise applications › Mailroom” and press “Grant admin consent for Contoso”.",
    de: "Öffnen Sie „Enterprise applications › Mailroom“ und wählen Sie „Grant admin consent for Contoso“.",
    ja: "「Enterprise applications › Mailroom」を開き、「Grant admin consent for Contoso」を押します。",
  },
};

/** What can be practised, while the named ones are broken. */
export const practice = (language: Language, on: string[]): PracticeView => ({
  exercises: rows.map(([name, code, mender, how, strikes, title]) => ({
    name,
    code,
    mender,
    mend: how,
    strikes,
    title: title[language],
    meaning: card(code, language).meaning,
    mender_label: fixerLabel(mender, language),
    mend_text: (mend[how] ?? mend.other!)[language],
    page: ["switch", "grant_consent"].includes(how)
      ? `${sandbox.authority}/admin/application`
      : null,
    on: on.includes(name),
  })),
  admin: {
    address: "admin@contoso.example",
    password: "practice-makes-perfect",
    name: "Contoso Administrator",
  },
});
