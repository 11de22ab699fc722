// A core for tests: answers the commands it is given, notes what was asked, and can tell things unasked.
import { emit } from "@tauri-apps/api/event";
import { mockIPC } from "@tauri-apps/api/mocks";
import type {
  AddressView,
  ApiError,
  AppView,
  Card,
  ErrorCode,
  Finding,
  Notice,
} from "../src/bindings";

export type Answers = Record<string, (args: any) => unknown>;

export const app: AppView = {
  version: "0.1.0",
  data_dir: "/data",
  polling: "here",
  has_own_registration: false,
  sandbox: null,
  settings: {
    language: "en",
    theme: "system",
    notifications: true,
    keep_in_tray: false,
    alert_after_min: 30,
    failure_list: "",
    quiet_from: null,
    quiet_to: null,
  },
};

export const address: AddressView = {
  id: 1,
  address: "support@contoso.example",
  brand: "Contoso",
  provider: "graph",
  mailbox: null,
  sandbox: false,
  is_default: false,
  proven_at: null,
  default_to_be: false,
  undo_until: null,
  status: "verified",
  cause: null,
  last_success_at: 1_000,
  next_poll_at: null,
  polling: false,
  silent: false,
  new_tickets_today: 3,
  activity: Array<number>(24).fill(1),
  open_tickets: 12,
  pending_marks: 0,
  import: null,
};

export const finding: Finding = {
  code: "AADSTS65001",
  severity: "failed",
  args: {},
  evidence: {
    code: "invalid_grant",
    status: 400,
    request_id: "request-1",
    correlation_id: null,
    at: Date.UTC(2026, 0, 2, 3, 4, 5),
    raw: '{"error":"invalid_grant"}',
  },
  hand_off: "approval",
};

export const card: Card = {
  code: "AADSTS65001",
  title: "Approval is missing",
  meaning: "Nobody has approved Mailroom yet.",
  severity: "failed",
  fixers: ["tenant_admin"],
  fixer_labels: ["Tenant admin (Entra)"],
  steps: ["Open the page.", "Approve."],
  links: [{ label: "Consent page", url: "https://login.example/consent" }],
  commands: [{ label: "Show", text: "Get-Thing 'x'", writes: false }],
  notes: [],
  known: true,
};

export const problem = (
  code: ErrorCode,
  args: ApiError["args"] = {},
): ApiError => ({ code, message: "why", args, evidence: null });

/** Starts the core; gives what was asked of it so far. */
export function start(answers: Answers): [string, any][] {
  const asked: [string, any][] = [];
  const standard: Answers = {
    app_view: () => app,
    list_addresses: () => [],
    list_brands: () => [],
    cancel_connect: () => null,
    explain: () => card,
    exercises_on: () => [],
    poll_practice: () => null,
    forecast: () => [],
    forecasts: () => [],
  };
  mockIPC(
    (command, args) => {
      asked.push([command, args]);
      const answer = answers[command] ?? standard[command];
      if (!answer) throw problem("internal");
      const given = answer(args) ?? null;
      return given instanceof Promise ? given : structuredClone(given);
    },
    { shouldMockEvents: true },
  );
  return asked;
}

/** Tells the window something. */
export const tell = (notice: Notice) => emit("notice", notice);
