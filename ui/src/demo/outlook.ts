// What the core would say of the future, and what a support bundle would hold: for looking at the screens without a core.
import type {
  AddressForecast,
  AddressView,
  BundlePreview,
  Card,
  ForecastItem,
  ForwardingCheck,
} from "../bindings";

const day = 86_400_000;
type Language = "en" | "de" | "ja";

const item = (
  code: string,
  days: number,
  severity: ForecastItem["severity"],
  address: string,
): ForecastItem => ({
  code,
  at: Date.now() + days * day,
  severity,
  args: { address, days: String(days) },
});

/** What ends for one address. */
export function items(one: AddressView): ForecastItem[] {
  const found: ForecastItem[] = [];
  if (one.status === "paused")
    found.push(item("forecast_idle", 12, "warning", one.address));
  else if (one.status === "failed")
    found.push(item("forecast_sign_in_frequency", -1, "failed", one.address));
  else found.push(item("forecast_renewed", 90, "ok", one.address));
  return found;
}

export const forecasts = (all: AddressView[]): AddressForecast[] =>
  all.map((one) => ({ address_id: one.id, items: items(one) }));

const words: Record<string, Record<Language, [string, string, string]>> = {
  forecast_renewed: {
    en: [
      "The sign-in renews itself",
      "A sign-in ends when it is not used for 90 days. Every poll uses and renews it, so this day only moves ahead.",
      "Nobody: Mailroom tries again",
    ],
    de: [
      "Die Anmeldung erneuert sich selbst",
      "Eine Anmeldung endet, wenn sie 90 Tage lang nicht genutzt wird. Jeder Abruf nutzt und erneuert sie, der Tag rückt also immer weiter.",
      "Niemand: Mailroom versucht es erneut",
    ],
    ja: [
      "サインインは自動的に更新されます",
      "サインインは 90 日間使われないと無効になります。受信のたびに更新されるため、この期限は先へ延びていきます。",
      "対応不要: Mailroom が再試行します",
    ],
  },
  forecast_idle: {
    en: [
      "The unused sign-in ends",
      "This address is not being polled at the moment. A sign-in that rests for 90 days ends, and then somebody has to sign in again.",
      "You",
    ],
    de: [
      "Die ungenutzte Anmeldung endet",
      "Diese Adresse wird zurzeit nicht abgerufen. Eine Anmeldung, die 90 Tage ruht, endet; danach muss sich jemand neu anmelden.",
      "Sie",
    ],
    ja: [
      "未使用のサインインが無効になります",
      "このアドレスは現在受信を行っていません。90 日間使われないサインインは無効になり、再度サインインが必要になります。",
      "あなた",
    ],
  },
  forecast_sign_in_frequency: {
    en: [
      "Your organisation will ask for a sign-in again",
      "A sign-in frequency policy has ended the sign-in before. The day is worked out from how long earlier sign-ins lasted.",
      "You",
    ],
    de: [
      "Ihre Organisation wird wieder eine Anmeldung verlangen",
      "Eine Richtlinie zur Anmeldehäufigkeit hat die Anmeldung schon einmal beendet. Der Tag ergibt sich daraus, wie lange frühere Anmeldungen hielten.",
      "Sie",
    ],
    ja: [
      "組織のポリシーで再サインインが求められます",
      "以前、サインインの頻度ポリシーによりサインインが終了しました。期限はこれまでの有効期間から推定しています。",
      "あなた",
    ],
  },
};

words["forwarding_rule"] = {
  en: [
    "A rule sends mail on to ida@fabrikam.example",
    "The inbox rule “Copies” is on. Mail that it applies to also goes to ida@fabrikam.example.",
    "You",
  ],
  de: [
    "Eine Regel leitet E-Mails an ida@fabrikam.example weiter",
    "Die Posteingangsregel „Copies“ ist eingeschaltet. E-Mails, auf die sie zutrifft, gehen auch an ida@fabrikam.example.",
    "Sie",
  ],
  ja: [
    "ルールにより ida@fabrikam.example に転送されています",
    "受信トレイのルール「Copies」が有効です。条件に合うメールは ida@fabrikam.example にも送られます。",
    "あなた",
  ],
};

const steps: Record<Language, string> = {
  en: "Choose “Sign in again” and sign in with the same account.",
  de: "Wählen Sie „Neu anmelden“ und melden Sie sich mit demselben Konto an.",
  ja: "「再サインイン」を選び、同じアカウントでサインインします。",
};

/** What looking for forwarding rules shows: `?rules=ask`, `?rules=one`, otherwise none. */
export function forwarding(wanted: string | null): ForwardingCheck {
  if (wanted === "ask")
    return { kind: "needs_consent", scope: "MailboxSettings.Read" };
  const args = { rule: "Copies", target: "ida@fabrikam.example" };
  const finding = {
    code: "forwarding_rule",
    severity: "warning" as const,
    args,
    evidence: null,
  };
  const findings = wanted === "one" ? [finding] : [];
  return { kind: "looked", at: Date.now(), findings };
}

/** The card of a forecast's code, if it is one. */
export function card(code: string, language: Language): Card | null {
  const found = words[code]?.[language];
  if (!found) return null;
  const nobody = code === "forecast_renewed";
  return {
    code,
    title: found[0],
    meaning: found[1],
    severity: nobody ? "ok" : "warning",
    fixers: [nobody ? "nobody" : "you"],
    fixer_labels: [found[2]],
    steps: nobody || code === "forwarding_rule" ? [] : [steps[language]],
    links: [],
    commands: [],
    notes: [],
    known: true,
  };
}

/** A bundle of believable files. */
export function bundle(withNames: boolean): BundlePreview {
  const address = withNames ? "support@contoso.example" : "address-4f2a91c07d";
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  return {
    files: [
      {
        name: "README.txt",
        text: "This is a support bundle of Mailroom. It holds versions, settings, the state of each address with its newest events, counts, the last failures with what the server said, a check of the database, and the newest lines of the log of the program that made it. It holds no passwords or tokens and nothing of any mail: no text, subject, sender or file name.\n",
      },
      {
        name: "about.json",
        text: json({ mailroom: "0.1.0", system: "linux", polls_here: true }),
      },
      { name: "settings.json", text: json({ alert_after_min: 30 }) },
      {
        name: "addresses.json",
        text: json(
          Array.from({ length: 12 }, (_, at) => ({
            address: `${address}${at || ""}`,
            provider: "graph",
            failures: at % 3,
            paused: false,
          })),
        ),
      },
      {
        name: "findings.json",
        text: json({ this_computer: null, addresses: [] }),
      },
      { name: "database.json", text: json({ integrity: "ok" }) },
      { name: "log.txt", text: "" },
    ],
  };
}
