// Mail servers and folders for looking at.
import type {
  AddressDetails,
  AddressView,
  AfterImport,
  AfterImportRehearsal,
  Finding,
  FolderView,
  ServerProposal,
  ServerResult,
  ServerSaved,
  ServersInput,
  ServerView,
} from "../bindings";
import { evidence } from "./data";

const tree: [string, number, number | null, FolderView["special"]][] = [
  ["Inbox", 0, 1284, "inbox"],
  ["Archive", 0, 48_211, "archive"],
  ["Archive/2025", 1, 20_114, null],
  ["Archive/2026", 1, 28_097, null],
  ["Requests", 0, null, null],
  ["Requests/Orders", 1, 312, null],
  ["Requests/Tech support", 1, 97, null],
  [
    "Requests/Tech support/Printers and everything that is plugged in",
    2,
    12,
    null,
  ],
  ["お問い合わせ", 0, 40, null],
  ["Rückfragen", 0, 3, null],
  ["Sent", 0, 9120, "sent"],
  ["Deleted", 0, 14, "trash"],
];

export const folders = (): FolderView[] =>
  tree.map(([path, depth, messages, special]) => ({
    id: path,
    name: path.split("/").at(-1)!,
    path,
    depth,
    selectable: messages !== null,
    messages,
    special,
    is_read: special === "inbox",
  }));

/** The folder of a path, or the refusal that the core gives. */
export function found(path: string | null) {
  if (!path) return "Inbox";
  const one = tree.find(([name]) => name.toLowerCase() === path.toLowerCase());
  if (one) return one[0];
  throw {
    code: "folder_not_found",
    message: "no such folder",
    args: { value: path, nearest: "Requests/Tech support" },
    evidence: null,
  };
}

const subjects = [
  "Rechnung 2026-1043 ist doppelt",
  "Where is my parcel?",
  "返品について",
  "Re: Offer for 40 chairs",
  "Newsletter October",
  "Passwort vergessen",
];

export function rehearsal(choice: AfterImport): AfterImportRehearsal {
  const mails = Array.from({ length: 50 }, (_, at) => {
    const stays = at % 6 === 4;
    return {
      subject: subjects[at % subjects.length]!,
      from: `customer${at}@fabrikam.example`,
      received_at: Date.now() - at * 3_900_000,
      outcome: stays ? ("skipped" as const) : ("imported" as const),
      taken: !stays,
    };
  });
  const taken = mails.filter((mail) => mail.taken).length;
  return {
    choice,
    goes_to: choice.kind === "move" ? found(choice.folder) : "Deleted",
    found: mails.length,
    taken,
    stay: mails.length - taken,
    imported_before: 294,
    mails,
  };
}

export const proposals = (address: string): ServerProposal[] => {
  const domain = address.split("@")[1] ?? "contoso.example";
  const at = (host: string, port: number) => ({
    host,
    port,
    tls: "implicit" as const,
    login: address,
  });
  if (domain.startsWith("tailwind"))
    return [
      {
        source: `https://autoconfig.${domain}/mail/config-v1.1.xml`,
        built_in: false,
        inbound: at("imap.gmail.com", 993),
        outbound: at("smtp.gmail.com", 465),
        sign_in: "app_password",
        hint: "Gmail sign-in",
        elsewhere: ["imap.gmail.com", "smtp.gmail.com"],
        owner: "Gmail",
      },
    ];
  return [
    {
      source: `https://autoconfig.${domain}/mail/config-v1.1.xml`,
      built_in: false,
      inbound: {
        host: `imap.${domain}`,
        port: 993,
        tls: "implicit",
        login: address,
      },
      outbound: {
        host: `smtp.${domain}`,
        port: 587,
        tls: "start_tls",
        login: address,
      },
      sign_in: "password",
      hint: null,
      elsewhere: [],
      owner: null,
    },
    {
      source: "Microsoft 365",
      built_in: true,
      inbound: {
        host: "outlook.office365.com",
        port: 993,
        tls: "implicit",
        login: address,
      },
      outbound: {
        host: "smtp.office365.com",
        port: 587,
        tls: "start_tls",
        login: address,
      },
      sign_in: "microsoft",
      hint: null,
      elsewhere: [],
      owner: "Microsoft 365",
    },
  ];
};

/** What the details of an address say about its servers. */
export const ofAddress = (
  one: AddressView,
): Pick<AddressDetails, "server" | "outbound"> =>
  one.provider !== "imap"
    ? { server: null, outbound: null }
    : {
        server: {
          host: "imap.fabrikam.example",
          port: 993,
          tls: "implicit",
          login: one.address,
          auth: "password",
        },
        outbound: {
          host: "smtp.fabrikam.example",
          port: 587,
          tls: "start_tls",
          login: one.address,
          auth: "password",
          from: ["orders@fabrikam.example"],
        },
      };

export const servers = (all: AddressView[]): ServerView[] =>
  all.flatMap((one) =>
    (["inbound", "outbound"] as const).map((direction): ServerView => {
      const { server, outbound } = ofAddress(one);
      const at = direction === "inbound" ? server : outbound;
      return {
        address_id: one.id,
        address: one.address,
        direction,
        kind: !at ? "graph" : direction === "inbound" ? "imap" : "smtp",
        host: at?.host ?? "graph.microsoft.com",
        port: at?.port ?? 443,
        tls: at?.tls ?? "implicit",
        sign_in: at ? "password" : "browser",
        user: at?.login ?? one.address,
        issuer: null,
        flow: one.brand,
        from:
          direction === "outbound"
            ? [one.address, ...(outbound?.from ?? [])]
            : [],
        enabled: !["paused", "disconnected"].includes(one.status),
        warning: direction === "inbound" ? one.cause : null,
      };
    }),
  );

const refusedPassword: Finding = {
  code: "SMTP password refused",
  severity: "failed",
  args: { host: "smtp.fabrikam.example" },
  evidence,
};

export const tried = (one: AddressView): ServerResult[] => [
  { direction: "inbound", finding: one.cause },
  {
    direction: "outbound",
    finding: one.provider === "imap" ? refusedPassword : null,
  },
];

/** The inbound server takes the sign-in; the outbound one only when asked to keep it all the same. */
export const saved = (input: ServersInput): ServerSaved[] => [
  ...(input.inbound
    ? [
        {
          direction: "inbound" as const,
          stored: true,
          fresh_start: !input.inbound.server.startsWith("imap.fabrikam"),
          finding: null,
        },
      ]
    : []),
  ...(input.outbound
    ? [
        {
          direction: "outbound" as const,
          stored: input.anyway,
          fresh_start: false,
          finding: refusedPassword,
        },
      ]
    : []),
];
