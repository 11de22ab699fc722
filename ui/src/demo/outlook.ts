// What the core would say of the future, and what a support bundle would hold: for looking at the screens without a core.
import type {
  AddressForecast,
  AddressView,
  BundlePreview,
  ForecastItem,
  ForwardingCheck,
} from "../bindings";

const day = 86_400_000;

const item = (
  code: string,
  days: number,
  severity: ForecastItem["severity"],
  address: string,
  more: Record<string, string> = {},
): ForecastItem => ({
  code,
  at: Date.now() + days * day,
  severity,
  args: { address, days: String(days), ...more },
});

/** What ends for one address. */
export function items(one: AddressView): ForecastItem[] {
  const found: ForecastItem[] = [];
  // Nobody knows when a password ends; a server's certificate says it.
  if (one.provider === "imap") {
    const shown = {
      host: "mail.contoso.example:993, 587",
      issuer: "R11 (Let’s Encrypt)",
    };
    found.push(item("forecast_certificate", 10, "warning", one.address, shown));
    return found;
  }
  if (one.status === "paused")
    found.push(item("forecast_idle", 12, "warning", one.address));
  else if (one.status === "failed")
    found.push(item("forecast_sign_in_frequency", -1, "failed", one.address));
  else found.push(item("forecast_renewed", 90, "ok", one.address));
  const what = { what: "Ticket printer" };
  found.push(item("forecast_app_secret", 41, "ok", one.address, what));
  return found;
}

export const forecasts = (all: AddressView[]): AddressForecast[] =>
  all.map((one) => ({ address_id: one.id, items: items(one) }));

/** What looking for forwarding rules shows: `?rules=ask`, `?rules=one`, otherwise none. */
export function forwarding(wanted: string | null): ForwardingCheck {
  if (wanted === "ask")
    return { kind: "needs_consent", scope: "MailboxSettings.Read" };
  const finding = {
    code: "forwarding_rule",
    severity: "warning" as const,
    args: { rule: "Copies", target: "ida@fabrikam.example" },
    evidence: null,
  };
  const findings = wanted === "one" ? [finding] : [];
  return { kind: "looked", at: Date.now(), findings };
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
