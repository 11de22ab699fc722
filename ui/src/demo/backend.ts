// Stands in for the core in a plain browser (`npm run dev`, then `?demo`): answers every command from memory and ticks.
// `map=healthy|consent|mailbox_right|mailbox|network` says where connections end; by itself a failed address ends at consent.
// `?demo=first|offline|elsewhere|empty|error|slow` shows other days; `stage=…` holds the wizard at a stage.
import { mockIPC } from "@tauri-apps/api/mocks";
import type { Access, Settings, Shell, TicketQuery } from "../bindings";
import { addresses } from "./addresses";
import { card, explanations, type Language } from "./cards";
import { checking } from "./checking";
import { connecting } from "./connecting";
import * as data from "./data";
import * as outlook from "./outlook";
import { practice } from "./practice";
import * as registration from "./registration";
import { find, problem, worldOf, type Commands, type World } from "./world";

/** Answers the commands of `ipc.ts` from now on. */
export function install(params: URLSearchParams): void {
  const world = worldOf(params);
  const commands: Commands = {
    ...program(world),
    ...addresses(world),
    ...connecting(world),
    ...checking(world),
    ...tickets(params.get("demo") === "empty" ? 0 : 24_000),
    ...knowing(world),
    ...practising(world),
  };
  mockIPC(
    (command, args) => {
      const answer = commands[command];
      if (!answer) throw problem("internal", {}, `no command ${command}`);
      if (params.get("demo") === "slow") return new Promise(() => {});
      const given = answer(args ?? {}) ?? null;
      return given instanceof Promise ? given : structuredClone(given);
    },
    { shouldMockEvents: true },
  );
}

const program = ({ app, params }: World): Commands => ({
  app_view: () => {
    if (params.get("demo") === "error")
      throw problem("data_folder", { path: app.data_dir });
    return app;
  },
  save_settings: ({ settings }: { settings: Settings }) => {
    const wrong = settings.failure_list
      .split(/[;,\n]/)
      .map((one) => one.trim())
      .filter((one) => one && !/^[^\s@]+@[^\s@]+$/.test(one));
    if (wrong.length)
      throw problem("invalid_address", { value: wrong.join(", ") });
    app.settings = settings;
    return null;
  },
  start_sandbox: () => (app.sandbox = data.sandbox),
  stop_sandbox: () => (app.sandbox = null),
  preview_bundle: ({ withNames }: { withNames: boolean }) =>
    outlook.bundle(withNames),
  save_bundle: () => "/home/alex/Downloads/mailroom-support.zip",
  open_link: () => null,
});

const tickets = (ticketCount: number): Commands => ({
  list_tickets: ({ query }: { query: TicketQuery }) => {
    const every = query.address ? 3 : 1;
    const total = query.search
      ? /zzz/.test(query.search)
        ? 0
        : 37
      : Math.floor(ticketCount / every);
    const count = Math.max(0, Math.min(query.limit, total - query.offset));
    return {
      total,
      tickets: Array.from({ length: count }, (_, n) =>
        data.ticketRow((query.offset + n) * every),
      ),
    };
  },
  ticket: ({ id }: { id: number }) => {
    const row = data.ticketRow(24_000 - id);
    return {
      ticket: row,
      messages: data.messages(row),
      same_mail_in: id % 2 ? [id - 40] : [],
    };
  },
  message_html: () => ({
    html: data.mailHtml,
    remote_left_out: 3,
    cut: false,
  }),
  save_attachment: () => "/home/alex/Downloads/Rechnung 2026-10.pdf",
  ledger: ({
    offset,
    limit,
    outcome,
    messageId,
  }: {
    offset: number;
    limit: number;
    outcome: string | null;
    messageId: string | null;
  }) =>
    Array.from({ length: Math.min(limit, 240 - offset) }, (_, n) =>
      data.ledgerRow(offset + n),
    ).filter(
      (row) =>
        (!outcome || row.outcome === outcome) &&
        (!messageId || row.message_id === messageId),
    ),
});

const knowing = (world: World): Commands => ({
  explain: ({
    code,
    args,
    language,
  }: {
    code: string;
    args: Record<string, string>;
    language: Language;
  }) => card(code, language, args),
  explain_text: ({ text, language }: { text: string; language: Language }) =>
    explanations(text, language),
  forecast: ({ id }: { id: number }) => outlook.items(find(world, id)),
  forecasts: () =>
    world.params.has("calm") ? [] : outlook.forecasts(world.all),
  look_for_forwarding: () => outlook.forwarding(world.params.get("rules")),
  audit_registration: ({
    manifest,
    language,
  }: {
    manifest: string;
    language: Language;
  }) => {
    const found = registration.audit(manifest, language);
    if (!found) throw problem("invalid_manifest");
    return found;
  },
  registration_script: ({
    runsIn,
    access,
    tenant,
  }: {
    runsIn: Shell;
    access: Access;
    tenant: string;
  }) => registration.script(runsIn, access, tenant),
  save_registration_script: () =>
    "/home/alex/Downloads/mailroom-registration.ps1",
});

const practising = ({ onPurpose }: World): Commands => ({
  practice: ({ language }: { language: Language }) =>
    practice(language, onPurpose),
  exercises_on: () => onPurpose,
  begin_exercise: ({ name }: { name: string }) => {
    onPurpose.splice(0, onPurpose.length, name);
    return null;
  },
  end_exercise: () => {
    onPurpose.length = 0;
    return null;
  },
  poll_practice: () => null,
});
