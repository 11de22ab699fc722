// Connection maps for looking at: a healthy one, one that ends at consent, one at the mailbox right, one that waits.
import type {
  ApprovalRequest,
  ConnectionMap,
  Explanation,
  Finding,
  Station,
  StationView,
} from "../bindings";
import { card, evidence } from "./data";

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
    if (station === "mailbox_right" && stop !== station)
      return { ...unknown, state: "not_needed", finding: null };
    if ((station === "send" || station === "round_trip") && !proved)
      return { ...unknown, state: "unknown", finding: unproven };
    const stopped = at === end;
    return {
      station,
      took_ms: stopped && took_ms === null ? 164 : took_ms,
      blocked_by: null,
      state: !stopped ? "ok" : stop === "mailbox" ? "warning" : "failed",
      finding: stopped
        ? {
            code: stop === "mailbox" ? "throttled" : "AADSTS65001",
            severity: stop === "mailbox" ? "warning" : "failed",
            args: {},
            evidence,
          }
        : null,
      facts:
        stopped && stop === "consent"
          ? { needed: "6", granted: "4", missing: "Mail.ReadWrite Mail.Send" }
          : facts,
    };
  });
  return {
    address,
    at: Date.now(),
    stations: views,
    scopes: [
      "openid",
      "offline_access",
      "email",
      "User.Read",
      "Mail.ReadWrite",
      "Mail.Send",
    ].map((name) => ({
      name,
      needed: true,
      granted: stop !== "consent" || !name.startsWith("Mail."),
    })),
    full_access: looked(7) ? "ok" : end >= 0 ? "blocked" : "unknown",
    send_as: proved ? "ok" : end >= 0 ? "blocked" : "unknown",
  };
}

const link =
  "https://login.microsoftonline.com/contoso.example/v2.0/adminconsent?client_id=6f3c1d52-8a34-4b6b-9d0e-2a6a4b1f7c11&scope=https%3A%2F%2Fgraph.microsoft.com%2FMail.ReadWrite";

/** A request that waits since yesterday. */
export function approval(
  id: number,
  address: string,
  address_id: number | null,
): ApprovalRequest {
  return {
    id,
    address,
    address_id,
    asked_at: Date.now() - 26 * 60 * minute,
    consent_link: link,
    messages: {
      en: {
        subject: "Please approve Mailroom for contoso.example",
        text: `Hello,\n\nI would like to connect ${address} to Mailroom. Microsoft lets it read the mailbox only after an administrator has approved it.\n\n1. Open this link and sign in as an administrator:\n${link}\n2. Check the permissions and accept.\n3. The browser then shows a page that cannot be reached. That is as it should be; you can close it.\n\nThank you\n`,
      },
      de: {
        subject: "Bitte um Zustimmung zu Mailroom für contoso.example",
        text: `Guten Tag,\n\nich möchte ${address} mit Mailroom verbinden. Microsoft erlaubt das Lesen des Postfachs erst, wenn die Administration zugestimmt hat.\n\n1. Öffnen Sie diesen Link und melden Sie sich als Administrator an:\n${link}\n2. Prüfen Sie die Berechtigungen und stimmen Sie zu.\n3. Danach zeigt der Browser eine Seite, die nicht erreichbar ist. Das ist so richtig; Sie können sie schließen.\n\nVielen Dank\n`,
      },
      ja: {
        subject: "contoso.exampleでのMailroomの承認のお願い",
        text: `お疲れさまです。\n\n${address}をMailroomに接続したいと考えています。管理者の承認後にのみ、メールボックスを読み取れるようになります。\n\n1. 次のリンクを開き、管理者としてサインインします。\n${link}\n2. アクセス許可を確認し、承諾します。\n3. その後、ブラウザーに接続できないページが表示されますが、問題ありません。閉じてください。\n\nよろしくお願いいたします。\n`,
      },
    },
    state: "waiting",
    recheck: address_id === null ? "sign_in" : "quiet",
    checked_at: address_id === null ? null : Date.now() - 4 * minute,
  };
}

/** What the core would say of a pasted text: every code it knows here, else the generic card. */
export function explanations(
  text: string,
  language: "en" | "de" | "ja",
): Explanation[] {
  const matched = /AADSTS\d+/.exec(text)?.[0] ?? "";
  const known = card(matched || "unknown", language);
  return [
    {
      card: matched ? known : { ...known, known: false },
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
