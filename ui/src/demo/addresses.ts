// The list of addresses, their details and settings, their servers and folders, and the team.
import type {
  AddressDetails,
  AddressView,
  AfterImport,
  AgentView,
  ServersInput,
} from "../bindings";
import { identity, nobody, scopes } from "./connecting";
import * as data from "./data";
import * as mail from "./servers";
import {
  change as changeOf,
  find as findIn,
  problem,
  tell,
  type Commands,
  type World,
} from "./world";

export function addresses(world: World): Commands {
  const { all, params } = world;
  let reading = "Inbox";
  let after: AfterImport = { kind: "read" };
  let agents: AgentView[] = [
    {
      id: 1,
      name: "Alex Wilber",
      address: "alex@contoso.example",
      added_at: Date.now(),
    },
  ];
  const find = (id: number) => findIn(world, id);
  const change = (id: number, values: Partial<AddressView>) =>
    changeOf(world, id, values);
  const importing = (id: number, state: "running" | "paused" | "cancelled") => {
    const one = find(id);
    if (one.import) one.import.state = state;
    return change(id, {
      status: state === "running" ? "importing" : "verified",
    });
  };

  function details(address: AddressView): AddressDetails {
    const ago = (minutes: number) => Date.now() - minutes * 60_000;
    return {
      address,
      identity:
        address.provider === "imap"
          ? nobody(address.address)
          : { ...identity, primary_address: address.address },
      scopes: address.provider === "imap" ? [] : scopes,
      folder: "Inbox",
      folder_path: null,
      next_folder: reading === "Inbox" ? null : reading,
      after_import: after,
      ...mail.ofAddress(address),
      poll_interval_s: 60,
      category: "Mailroom",
      registration: {
        authority: "https://login.microsoftonline.com",
        tenant: "contoso.example",
        // A password belongs to a server instead of an app registration.
        client_id: address.provider === "imap" ? "" : data.sandbox.client_id,
        graph_url: "https://graph.microsoft.com",
      },
      totals: data.totals,
      pending_marks: 4,
      events: [
        { at: ago(2), kind: "fetched", args: { count: "3" } },
        { at: ago(41), kind: "poll_failed", args: { code: "AADSTS65001" } },
        { at: ago(58), kind: "throttled", args: { seconds: "120" } },
        { at: ago(180), kind: "came_online", args: { after_s: "940" } },
        { at: ago(196), kind: "went_offline", args: {} },
        {
          at: ago(60 * 9),
          kind: "message_failed",
          args: { subject: "Rechnung", code: "ErrorItemNotFound" },
        },
        {
          at: ago(60 * 26),
          kind: "import_done",
          args: {
            found: "300",
            imported: "294",
            duplicate: "4",
            skipped: "2",
            failed: "0",
          },
        },
        {
          at: ago(60 * 26 + 1),
          kind: "import_started",
          args: { newest: "300" },
        },
        {
          at: ago(60 * 26 + 2),
          kind: "connected",
          args: { login: "support@contoso.example" },
        },
      ],
    };
  }

  setInterval(() => {
    for (const one of all) {
      const view = one.import;
      if (view?.state !== "running" || params.has("still")) continue;
      const step = Math.min(view.pending, 17);
      view.pending -= step;
      view.totals.imported += step;
      view.seconds_left = Math.ceil(view.pending / 21);
      if (view.pending === 0)
        Object.assign(view, {
          state: "done",
          seconds_left: null,
          ended_at: Date.now(),
        });
      tell({
        kind: "address",
        value: structuredClone({
          ...one,
          status: view.pending ? one.status : "verified",
        }),
      });
      if (view.pending === 0) one.status = "verified";
    }
  }, 800);

  return {
    list_addresses: () => all,
    address_details: ({ id }: { id: number }) => details(find(id)),
    save_address_settings: ({
      id,
      settings,
    }: {
      id: number;
      settings: { brand: string };
    }) => change(id, { brand: settings.brand }),
    sync_now: () => {
      for (const one of all)
        if (one.status === "verified")
          void change(one.id, {
            last_success_at: Date.now(),
            next_poll_at: Date.now() + 60_000,
          });
      return null;
    },
    pause_address: ({ id }: { id: number }) =>
      change(id, { status: "paused", next_poll_at: null }),
    resume_address: ({ id }: { id: number }) =>
      change(id, { status: "verified", next_poll_at: Date.now() + 2000 }),
    disconnect_address: ({ id }: { id: number }) =>
      change(id, {
        status: "disconnected",
        next_poll_at: null,
        undo_until: Date.now() + 600_000,
      }),
    undo_disconnect: ({ id }: { id: number }) =>
      change(id, {
        status: "verified",
        next_poll_at: Date.now() + 2000,
        undo_until: null,
      }),
    list_agents: () => agents,
    add_agent: ({ name, address }: { name: string; address: string }) => {
      if (!address.includes("@"))
        throw problem("invalid_address", { value: address });
      agents.push({ id: Date.now(), name, address, added_at: Date.now() });
      return agents;
    },
    remove_agent: ({ id }: { id: number }) =>
      (agents = agents.filter((one) => one.id !== id)),
    allow_requester: () => null,
    make_default: ({ id }: { id: number }) => {
      if (!find(id).proven_at)
        throw problem("not_proven", { value: find(id).address });
      for (const one of all) void change(one.id, { is_default: one.id === id });
      return null;
    },
    list_brands: () => [...new Set(all.map((one) => one.brand))],
    set_outbound: ({ id }: { id: number }) => find(id),
    save_servers: ({ input }: { input: ServersInput }) => mail.saved(input),
    remove_outbound: () => null,
    servers: () => mail.servers(all),
    try_servers: ({ id }: { id: number }) => mail.tried(find(id)),
    folders: () => mail.folders(),
    set_folder: ({ path }: { path: string | null }) => {
      reading = mail.found(path);
      return null;
    },
    rehearse_after_import: ({ choice }: { choice: AfterImport }) =>
      mail.rehearsal(choice),
    set_after_import: ({ choice }: { choice: AfterImport }) => {
      after = choice;
      return null;
    },
    start_import: ({ id }: { id: number }) => importing(id, "running"),
    pause_import: ({ id }: { id: number }) => importing(id, "paused"),
    resume_import: ({ id }: { id: number }) => importing(id, "running"),
    cancel_import: ({ id }: { id: number }) => importing(id, "cancelled"),
  };
}
