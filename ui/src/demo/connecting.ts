// The wizard: an attempt that goes from stage to stage, or is held at the one that `stage=…` names.
import type { AddressDetails, ConnectAttempt, ConnectStage } from "../bindings";
import * as data from "./data";
import * as maps from "./maps";
import * as mail from "./servers";
import * as shared from "./shared";
import { find, problem, tell, type Commands, type World } from "./world";

export const identity = {
  login_name: "support@contoso.example",
  display_name: "Contoso Support",
  primary_address: "support@contoso.example",
  aliases: ["help@contoso.example", "hilfe@contoso.example"],
  tenant_id: data.sandbox.tenant,
};
/** Who signs in where a server knows no more than a name. */
export const nobody = (login_name: string): AddressDetails["identity"] => ({
  login_name,
  display_name: "",
  primary_address: null,
  aliases: [],
  tenant_id: "",
});
export const scopes = [
  ["openid", true, true],
  ["offline_access", true, true],
  ["email", true, true],
  ["User.Read", true, true],
  ["Mail.ReadWrite", true, true],
  ["Mail.Send", true, false],
].map(([name, needed, granted]) => ({
  name,
  needed,
  granted,
})) as AddressDetails["scopes"];

type Stage = "preparing" | "waiting" | "checking" | "ready";

function stagesOf(
  address: string,
  byPassword: boolean,
): Record<string, ConnectStage> {
  const ready = {
    kind: "ready" as const,
    identity: byPassword
      ? nobody(address)
      : { ...identity, login_name: address, primary_address: address },
    shared: null,
    scopes: byPassword ? [] : scopes.map((one) => ({ ...one, granted: true })),
    folder: "Inbox",
    folder_messages: 1284,
  };
  return {
    ...shared.stages(address),
    preparing: { kind: "preparing" },
    waiting: {
      kind: "waiting_for_browser",
      url: `${data.sandbox.authority}/authorize?client_id=${data.sandbox.client_id}`,
      expires_at: Date.now() + 287_000,
      browser_opened: true,
    },
    checking: { kind: "checking" },
    wrong: {
      kind: "wrong_account",
      asked: address,
      signed_in: "alex@contoso.example",
      primary_address: "alex.wilber@contoso.example",
    },
    failed: {
      kind: "failed",
      finding: byPassword
        ? {
            code: "IMAP LOGIN failed",
            severity: "failed",
            args: { address, host: "imap.contoso.example", login: address },
            evidence: data.refusal,
          }
        : {
            code: "AADSTS65001",
            severity: "failed",
            args: { address },
            evidence: data.evidence,
            hand_off: "approval",
          },
    },
    ready,
    shared: {
      ...ready,
      identity: {
        ...identity,
        login_name: "alex@contoso.example",
        display_name: "Alex Wilber",
        primary_address: "alex@contoso.example",
      },
      shared: {
        address,
        display_name: null,
        primary_address: null,
        aliases: [],
        looked_up: false,
      },
    },
  };
}

export function connecting(world: World): Commands {
  let byPassword = false;

  function begin(address: string, password = false): ConnectAttempt {
    byPassword = password;
    const held = world.params.get("stage");
    const stages = stagesOf(address, password);
    const id = `attempt ${Date.now()}`;
    const at = (name: string) => ({ id, address, stage: stages[name]! });
    world.attempt = at(held ?? "preparing");
    const next: [Stage, number][] = password
      ? [
          ["checking", 600],
          ["ready", 2600],
        ]
      : [
          ["waiting", 600],
          ["checking", 6000],
          ["ready", 8000],
        ];
    if (!held)
      for (const [name, after] of next)
        setTimeout(
          () =>
            world.attempt?.id === id &&
            tell({ kind: "connect", value: at(name) }),
          after,
        );
    return world.attempt;
  }

  return {
    begin_connect: ({ request }: { request: { address: string } }) => {
      const used = world.all.find((one) => one.address === request.address);
      if (used && !world.params.has("stage"))
        throw problem("address_in_use", {
          value: used.address,
          by: used.address,
          how: "connection",
        });
      return begin(request.address);
    },
    begin_connect_imap: ({ request }: { request: { address: string } }) =>
      begin(request.address),
    begin_connect_password: ({
      request,
      input,
    }: {
      request: { address: string };
      input: { server: string };
    }) => {
      if (/\s|^:/.test(input.server))
        throw problem("out_of_range", { value: input.server });
      return begin(request.address, true);
    },
    reconnect_address: ({ id }: { id: number }) =>
      begin(find(world, id).address),
    reconnect_password: ({ id }: { id: number }) =>
      begin(find(world, id).address, true),
    convert_to_oauth: ({ id }: { id: number }) =>
      begin(find(world, id).address),
    ask_for_forwarding: ({ id }: { id: number }) =>
      begin(find(world, id).address),
    connect_attempt: () => world.attempt,
    open_browser_again: () => null,
    retry_connect: () => begin(world.attempt?.address ?? "", byPassword),
    cancel_connect: () => (world.attempt = null),
    check_attempt: () => {
      const address = world.attempt?.address ?? "";
      if (world.params.get("stage") === "sharedRefused")
        return shared.refused(address);
      return maps.mapOf(address, byPassword ? "sign_in" : "consent");
    },
    finish_connect: ({
      choices,
    }: {
      choices: { brand: string; import_newest: number | null };
    }) => {
      const one = data.addresses()[2]!;
      Object.assign(one, {
        id: 20 + world.all.length,
        address: world.attempt?.address ?? "",
        brand: choices.brand,
        sandbox: true,
      });
      world.all.push(one);
      return one;
    },
    propose_servers: ({ address }: { address: string }) =>
      mail.proposals(address),
    folders_of_attempt: () => mail.folders(),
  };
}
