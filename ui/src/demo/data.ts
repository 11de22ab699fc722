// A believable team's mail, for looking at the screens without a core. Loaded in development builds only.
import type {
  AddressView,
  AppView,
  Evidence,
  Finding,
  LedgerRow,
  LedgerTotals,
  MessageView,
  TicketRow,
} from "../bindings";

const second = 1000;
const minute = 60 * second;

export const sandbox: NonNullable<AppView["sandbox"]> = {
  authority: "http://localhost:40123",
  graph_url: "http://localhost:40123/graph",
  client_id: "6f3c1d52-8a34-4b6b-9d0e-2a6a4b1f7c11",
  tenant: "9b1f6b0e-0c2d-4a55-8a3e-5d1f0c7e2a90",
  users: [
    {
      address: "support@contoso.example",
      password: "practice-makes-perfect",
      name: "Contoso Support",
    },
    {
      address: "alex@contoso.example",
      password: "practice-makes-perfect",
      name: "Alex Wilber",
    },
  ],
  scenarios: [],
};

export const evidence: Evidence = {
  code: "invalid_grant",
  status: 400,
  request_id: "5a1d9f1c-6f8e-4a44-9a7a-1f6d3b0c0e00",
  correlation_id: "0d9b1a52-77c1-4d1b-8f55-9f1a5a6f3f21",
  at: Date.UTC(2026, 10, 21, 13, 5, 9),
  raw: JSON.stringify(
    {
      error: "invalid_grant",
      error_description:
        "AADSTS65001: The user or administrator has not consented to use the application with ID '6f3c1d52-8a34-4b6b-9d0e-2a6a4b1f7c11' named 'Mailroom'. Send an interactive authorization request for this user and resource.",
      error_codes: [65001],
      timestamp: "2026-11-21 13:05:09Z",
      suberror: "consent_required",
    },
    null,
    2,
  ),
};

/** What an IMAP server says to a wrong password. */
export const refusal: Evidence = {
  code: "AUTHENTICATIONFAILED",
  status: null,
  request_id: null,
  correlation_id: null,
  at: Date.UTC(2026, 10, 21, 13, 5, 9),
  raw: "NO [AUTHENTICATIONFAILED] Authentication failed.",
};

const finding = (
  code: string,
  severity: Finding["severity"],
  withEvidence = false,
): Finding => ({
  code,
  severity,
  args: {},
  evidence: withEvidence ? evidence : null,
});

const hours = (seed: number, most: number) =>
  Array.from({ length: 24 }, (_, hour) => {
    const day = Math.max(0, Math.sin(((hour - 5) / 24) * 2 * Math.PI));
    return Math.round(day * most * (0.5 + (((seed + hour) * 7919) % 10) / 18));
  });

function address(
  id: number,
  name: string,
  brand: string,
  given: Partial<AddressView>,
): AddressView {
  const now = Date.now();
  return {
    id,
    address: name,
    brand,
    provider: "graph",
    mailbox: null,
    sandbox: false,
    is_default: false,
    proven_at: null,
    default_to_be: false,
    undo_until: null,
    status: "verified",
    cause: null,
    last_success_at: now - (6 + id * 5) * second,
    next_poll_at: now + (54 - id * 5) * second,
    polling: false,
    silent: false,
    new_tickets_today: 3 + ((id * 7) % 19),
    activity: hours(id, 4 + ((id * 5) % 11)),
    open_tickets: 120 + id * 37,
    pending_marks: 0,
    import: null,
    ...given,
  };
}

export function addresses(): AddressView[] {
  const now = Date.now();
  return [
    address(1, "support@contoso.example", "Contoso", {
      is_default: true,
      proven_at: now - 50 * minute,
    }),
    address(2, "billing@contoso.example", "Contoso", {
      status: "failed",
      cause: finding("AADSTS65001", "failed", true),
      last_success_at: now - 3 * 60 * minute,
      silent: true,
      next_poll_at: now + 4 * minute,
      new_tickets_today: 0,
    }),
    address(3, "returns@contoso.example", "Contoso", {
      status: "importing",
      import: {
        state: "running",
        newest: 300,
        totals: {
          found: 300,
          imported: 108,
          duplicate: 4,
          skipped: 0,
          failed: 0,
        },
        pending: 188,
        rate: 21.4,
        seconds_left: 9,
        started_at: now - 6 * second,
        ended_at: null,
      },
    }),
    address(4, "hallo@nordwind.example", "Nordwind", {
      status: "attention",
      cause: finding("throttled", "warning"),
      next_poll_at: now + 2 * minute,
    }),
    address(5, "お問い合わせ@fabrikam.example", "Fabrikam", {
      mailbox: "お問い合わせ@fabrikam.example",
    }),
    address(6, "jobs@nordwind.example", "Nordwind", {
      status: "paused",
      last_success_at: now - 26 * 60 * minute,
      next_poll_at: null,
      new_tickets_today: 0,
      activity: hours(3, 0),
    }),
    address(7, "privacy@fabrikam.example", "Fabrikam", {
      status: "waiting_for_approval",
      cause: finding("AADSTS90094", "warning", true),
      last_success_at: null,
      next_poll_at: now + 3 * minute,
      new_tickets_today: 0,
      activity: hours(3, 0),
      open_tickets: 0,
    }),
    address(9, "kontakt@fabrikam.example", "Fabrikam", { provider: "imap" }),
    address(8, "support@contoso.practice.example", "Contoso", {
      sandbox: true,
    }),
  ];
}

export const totals: LedgerTotals = {
  found: 12_847,
  imported: 12_404,
  duplicate: 118,
  skipped: 322,
  failed: 3,
};

const mails = [
  [
    "Maya Fischer",
    "Order 48213 has not arrived",
    "Hello, my parcel was announced for Tuesday and the tracking page has not changed since. Could you look into it?",
  ],
  [
    "Jonas Weber",
    "Rechnung für Oktober fehlt",
    "Guten Tag, für den Monat Oktober habe ich noch keine Rechnung erhalten. Können Sie mir diese bitte zusenden?",
  ],
  [
    "佐藤 花子",
    "返品の手続きについて",
    "先日購入した商品のサイズが合わなかったため、交換をお願いしたいのですが、手続きを教えていただけますか。",
  ],
  [
    "Priya Natarajan",
    "Invoice address change",
    "We moved offices last week. Please use the address in my signature from now on.",
  ],
  [
    "Mail Delivery System",
    "Undelivered Mail Returned to Sender",
    "This is the mail system at host mx.contoso.example. I'm sorry to have to inform you that your message could not be delivered.",
  ],
  [
    "Lena Hofmann",
    "Donaudampfschifffahrtsgesellschaft: Terminverschiebung",
    "Liebes Team, wir müssen den vereinbarten Termin leider auf die kommende Woche verschieben.",
  ],
  [
    "田中 太郎",
    "見積書の再送のお願い",
    "お世話になっております。先月いただいた見積書を紛失してしまいました。再送いただけますでしょうか。",
  ],
  ["Oliver Grant", "", "Sent from my phone"],
] as const;

export function ticketRow(index: number): TicketRow {
  const [requester, subject, preview] = mails[index % mails.length]!;
  return {
    id: 24_000 - index,
    subject,
    requester,
    address: [
      "support@contoso.example",
      "hallo@nordwind.example",
      "returns@contoso.example",
    ][index % 3]!,
    messages: 1 + ((index * 5) % 4),
    updated_at: Date.now() - index * 11 * minute - 4 * minute,
    preview,
    has_attachments: index % 5 === 1,
    automatic: requester.startsWith("Mail Delivery") ? "bounce" : null,
  };
}

export function messages(row: TicketRow): MessageView[] {
  const us = { name: "Contoso Support", address: row.address };
  return Array.from({ length: row.messages }, (_, n) => ({
    id: row.id * 10 + n,
    from:
      n % 2 ? us : { name: row.requester, address: "writer@adatum.example" },
    to: [
      n % 2 ? { name: row.requester, address: "writer@adatum.example" } : us,
    ],
    cc:
      n === 0 && row.has_attachments
        ? [{ name: "", address: "accounts@adatum.example" }]
        : [],
    subject: row.subject,
    received_at: row.updated_at - (row.messages - 1 - n) * 47 * minute,
    text:
      n % 2 === 0
        ? `${row.preview}\n\nKind regards\n${row.requester}\n`
        : "Thank you for your message. We are looking into it and will get back to you today.\n\nContoso Support\n",
    has_html: n % 2 === 0,
    attachments:
      n === 0 && row.has_attachments
        ? [
            {
              id: row.id * 100 + 1,
              name: "Rechnung 2026-10.pdf",
              media_type: "application/pdf",
              size: 184_320,
            },
            {
              id: row.id * 100 + 2,
              name: "写真.jpg",
              media_type: "image/jpeg",
              size: 2_413_000,
            },
          ]
        : [],
    imported: n === 0 && row.id % 3 === 0,
    automatic: n === 0 ? row.automatic : null,
    damage: n === 0 && row.id % 8 === 3 ? ["truncated"] : [],
  }));
}

export function ledgerRow(index: number): LedgerRow {
  const row = ticketRow(index);
  const kinds = [
    "imported",
    "imported",
    "duplicate",
    "skipped",
    "imported",
    "failed",
  ] as const;
  const outcome = kinds[index % kinds.length]!;
  const reasons = {
    imported: null,
    duplicate: "same_mail",
    skipped: "before_connection",
    failed: "ErrorItemNotFound",
  };
  return {
    server_id: `AAMkAD${index}`,
    message_id:
      index % 7 === 6 ? null : `${row.id}.${index}@mail.adatum.example`,
    subject: row.subject,
    from: "writer@adatum.example",
    received_at: row.updated_at,
    outcome,
    reason: reasons[outcome],
    ticket_id:
      outcome === "imported" || outcome === "duplicate" ? row.id : null,
    recorded_at: row.updated_at + 20_000,
  };
}

export const mailHtml = `<div style="font-family:Georgia,serif"><h2 style="color:#0b5">Your order is on its way</h2>
<p>Dear customer,</p><p>we have handed your parcel to the carrier. <a href="https://contoso.example/track">Track it here</a>.</p>
<table border="1" cellpadding="6" style="border-collapse:collapse"><tr><th>Item</th><th>Count</th></tr><tr><td>Teapot, blue</td><td>1</td></tr></table>
<script>top.broken="script"</script><p onclick="top.broken=1" style="color:#555">With kind regards</p><form action="https://adatum.example/"><input name="a"></form><iframe src="https://adatum.example/"></iframe><img src="https://adatum.example/pixel.png" onerror="top.broken=2"></div>`;
