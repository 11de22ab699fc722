// A shared mailbox by IMAP for looking at: opened by somebody's sign-in, or refused to them.
import type { ConnectionMap, ConnectStage } from "../bindings";
import { evidence } from "./data";
import { mapOf } from "./maps";

const code = "IMAP shared refused";
const login = "alex@contoso.example";

/** Where a connection of `address` may stand. */
export const stages = (address: string): Record<string, ConnectStage> => ({
  sharedImap: {
    kind: "ready",
    identity: {
      login_name: login,
      display_name: "",
      primary_address: login,
      aliases: [],
      tenant_id: "",
    },
    shared: {
      address,
      display_name: null,
      primary_address: null,
      aliases: [],
      looked_up: true,
    },
    scopes: [],
    folder: "INBOX",
    folder_messages: 312,
  },
  sharedRefused: {
    kind: "failed",
    finding: {
      code,
      severity: "failed",
      args: { address, login },
      evidence: {
        ...evidence,
        code,
        status: null,
        raw: '[AUTHENTICATIONFAILED] Authentication failed. {"status":"401","schemes":"bearer","scope":"mail"}',
      },
      hand_off: "mailbox",
    },
  },
});

/** The map of an attempt that may not open the mailbox. */
export function refused(address: string): ConnectionMap {
  const map = mapOf(address, "mailbox_right");
  for (const { finding } of map.stations)
    if (finding) Object.assign(finding, { code, args: { address, login } });
  return { ...map, scopes: [] };
}
