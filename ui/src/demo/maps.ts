// Connection maps for looking at: a healthy one, one that ends at consent, one at the mailbox right, one that waits.
import type {
  HandOff,
  ConnectionMap,
  Finding,
  Station,
  StationView,
} from "../bindings";
import { evidence, refusal } from "./data";

const minute = 60_000;
const stations: [Station, number | null, Record<string, string>][] = [
  ["computer", 4, {}],
  [
    "network",
    212,
    {
      authority_host: "login.microsoftonline.com",
      authority_connect_ms: "38",
      authority_answer_ms: "104",
      authority_tls: "yes",
      graph_host: "graph.microsoft.com",
      graph_connect_ms: "31",
      graph_answer_ms: "92",
      graph_tls: "yes",
    },
  ],
  [
    "registration",
    131,
    {
      issuer:
        "https://login.microsoftonline.com/9b1f6b0e-0c2d-4a55-8a3e-5d1f0c7e2a90/v2.0",
    },
  ],
  [
    "sign_in",
    null,
    { login: "support@contoso.example", name: "Contoso Support" },
  ],
  ["consent", null, { needed: "6", granted: "6" }],
  ["token", 243, { expires_at: String(Date.now() + 58 * minute) }],
  ["mailbox", 187, { primary: "support@contoso.example", aliases: "2" }],
  ["mailbox_right", null, {}],
  ["folder", 96, { folder: "Inbox", messages: "1284" }],
  ["fetch", 158, { newest_at: String(Date.now() - 3 * minute) }],
  ["mark", null, { pending: "0" }],
  ["send", null, { tested_at: String(Date.now() - 90 * minute) }],
  ["round_trip", null, { round_trip_ms: "4210" }],
];

const permissions = [
  "openid",
  "offline_access",
  "email",
  "User.Read",
  "Mail.ReadWrite",
  "Mail.Send",
];

// What is seen of a server and a password.
const ofServers: Partial<Record<Station, Record<string, string>>> = {
  network: { imap_host: "imap.contoso.example:993" },
  sign_in: { login: "service@contoso.example" },
};

// A password does without them.
const ofTokens: Station[] = ["registration", "consent", "token"];

// What stands where a connection ends.
const ends: Partial<Record<Station, Finding>> = {
  sign_in: {
    code: "IMAP LOGIN failed",
    severity: "failed",
    args: {},
    evidence: refusal,
  },
  consent: {
    code: "AADSTS65001",
    severity: "failed",
    args: {},
    evidence,
    hand_off: "approval",
  },
  mailbox: { code: "throttled", severity: "warning", args: {}, evidence },
  mailbox_right: {
    code: "full_access_missing",
    severity: "failed",
    args: {},
    evidence,
    hand_off: "mailbox",
  },
};

const unproven: Finding = {
  code: "sending_unproven",
  severity: "ok",
  args: {},
  evidence: null,
};

/** The map of an address that ends at `stop`; without one it is healthy. */
export function mapOf(
  address: string,
  stop: Station | null,
  proved = false,
  seen = stations.length,
): ConnectionMap {
  const end = stations.findIndex(([station]) => station === stop);
  const byPassword = stop === "sign_in";
  const looked = (at: number) => at < seen && (end < 0 || at <= end);
  const views = stations.map(([station, took_ms, facts], at): StationView => {
    const unknown = { station, took_ms: null, blocked_by: null, facts: {} };
    if (at >= seen) return { ...unknown, state: "unknown", finding: null };
    if (end >= 0 && at > end)
      return {
        ...unknown,
        state: "blocked",
        finding: null,
        blocked_by: stop,
      };
    if (
      (station === "mailbox_right" && stop !== station) ||
      (byPassword && ofTokens.includes(station))
    )
      return { ...unknown, state: "not_needed", finding: null };
    if ((station === "send" || station === "round_trip") && !proved)
      return { ...unknown, state: "unknown", finding: unproven };
    const stopped = at === end;
    const found = stopped ? ends[station] : undefined;
    return {
      station,
      took_ms: stopped && took_ms === null ? 164 : took_ms,
      blocked_by: null,
      state: !stopped
        ? "ok"
        : found?.severity === "warning"
          ? "warning"
          : "failed",
      finding: found
        ? {
            ...found,
            args: {
              address,
              login: byPassword ? address : "alex@nordwind.example",
            },
          }
        : null,
      facts:
        stopped && stop === "consent"
          ? { needed: "6", granted: "4", missing: "Mail.ReadWrite Mail.Send" }
          : byPassword && at > 0
            ? (ofServers[station] ?? {})
            : facts,
    };
  });
  // A password is refused before anything is asked for.
  const asked = byPassword ? [] : permissions;
  return {
    address,
    at: Date.now(),
    stations: views,
    scopes: asked.map((name) => ({
      name,
      needed: true,
      granted: stop !== "consent" || !name.startsWith("Mail."),
    })),
    full_access:
      stop === "mailbox_right"
        ? "failed"
        : looked(7)
          ? "ok"
          : end >= 0
            ? "blocked"
            : "unknown",
    send_as: proved ? "ok" : end >= 0 ? "blocked" : "unknown",
  };
}

const link =
  "https://login.microsoftonline.com/contoso.example/v2.0/adminconsent?client_id=6f3c1d52-8a34-4b6b-9d0e-2a6a4b1f7c11&scope=https%3A%2F%2Fgraph.microsoft.com%2FMail.ReadWrite";

/** A hand-off that waits since yesterday. */
export function handOff(
  id: number,
  address: string,
  address_id: number | null,
  code = "AADSTS90094",
): HandOff {
  const right = code === "ErrorSendAsDenied" || code === "full_access_missing";
  return {
    id,
    kind: right ? "mailbox" : "approval",
    code,
    address,
    address_id,
    asked_at: Date.now() - 26 * 60 * minute,
    consent_link: right ? null : link,
    messages: right ? rightMessages(address) : approvalMessages(address),
    state: "waiting",
    recheck: address_id === null ? "sign_in" : "quiet",
    checked_at: address_id === null ? null : Date.now() - 4 * minute,
    mailed: null,
    forwarding: false,
  };
}

const approvalMessages = (address: string): HandOff["messages"] => ({
  en: {
    subject: `Please approve Mailroom for ${address}`,
    text: `Hello,\n\nI would like to connect the mailbox ${address} to Mailroom, the program with which our team answers mail. Our organisation wants an administrator to approve that first.\n\nPlease open this link, sign in as an administrator and press Accept:\n\n${link}\n\nThank you\n`,
    commands: [],
  },
  de: {
    subject: `Bitte Mailroom für ${address} genehmigen`,
    text: `Guten Tag,\n\nich möchte das Postfach ${address} mit Mailroom verbinden, dem Programm, mit dem unser Team E-Mails beantwortet. In unserer Organisation muss das zuerst ein Administrator genehmigen.\n\nBitte öffnen Sie diesen Link, melden Sie sich als Administrator an und wählen Sie „Akzeptieren“:\n\n${link}\n\nVielen Dank\n`,
    commands: [],
  },
  ja: {
    subject: `${address} での Mailroom の利用承認のお願い`,
    text: `お世話になっております。\n\nチームでメールに対応するためのプログラム Mailroom に、メールボックス ${address} を接続したいと考えています。当組織では、先に管理者の承認が必要です。\n\nお手数ですが、次のリンクを開き、管理者としてサインインして［承諾］を選択してください。\n\n${link}\n\nよろしくお願いいたします。\n`,
    commands: [],
  },
});

const rightMessages = (address: string): HandOff["messages"] => {
  const commands = (labels: string[]) =>
    [
      "Connect-ExchangeOnline",
      `Get-EXORecipientPermission -Identity '${address}' -Trustee 'alex@nordwind.example'`,
      `Add-RecipientPermission -Identity '${address}' -Trustee 'alex@nordwind.example' -AccessRights SendAs`,
    ].map((text, at) => ({ label: labels[at] ?? "", text, writes: at === 2 }));
  return {
    en: {
      subject: `Mailroom needs your help with ${address}`,
      text: `Hello,\n\nour team answers the mail of ${address} with the program Mailroom. At the moment something is in the way that I cannot change myself, and you probably can.\n\nWhat to do\n1. Open the mailbox ${address}, choose Delegation, and give alex@nordwind.example Send as.\n\nExchange can take up to 60 minutes until a changed right works everywhere.\n\nThank you\n`,
      commands: commands([
        "Connect to Exchange Online",
        "Show who may send as this address",
        "Allow sending as this address",
      ]),
    },
    de: {
      subject: `Bitte um Hilfe: Mailroom und ${address}`,
      text: `Guten Tag,\n\nunser Team beantwortet die E-Mails an ${address} mit dem Programm Mailroom. Zurzeit steht dem etwas im Weg, das ich selbst nicht ändern kann, Sie aber vermutlich schon.\n\nWas zu tun ist\n1. Öffnen Sie das Postfach ${address}, wählen Sie „Delegierung“ und geben Sie alex@nordwind.example „Senden als“.\n\nVielen Dank\n`,
      commands: commands([
        "Mit Exchange Online verbinden",
        "Anzeigen, wer als diese Adresse senden darf",
        "„Senden als“ erlauben",
      ]),
    },
    ja: {
      subject: `Mailroom と ${address} の設定についてのお願い`,
      text: `お世話になっております。\n\n当チームでは、プログラム Mailroom を使って ${address} 宛てのメールに対応しています。現在、私の権限では変更できない設定のため、利用できない状態です。\n\nお願いしたい操作\n1. メールボックス ${address} を開き、「委任」で alex@nordwind.example に「送信者」を付与してください。\n\nよろしくお願いいたします。\n`,
      commands: commands([
        "Exchange Online に接続する",
        "送信者 (Send As) 権限を表示する",
        "送信者 (Send As) 権限を付与する",
      ]),
    },
  };
};
