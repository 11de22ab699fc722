// The demonstration's app registration: its script, and what a look at its manifest finds.
import type { Access, Audit, Card, Shell } from "../bindings";
import { card, type Language } from "./cards";

const codes = ["registration_platform_web", "registration_public_client_off"];

/** What deviates; nothing where the text is no manifest. One that allows public clients is fine. */
export function audit(
  manifest: string,
  language: Language,
): [Audit, Card[]] | null {
  let read: Record<string, unknown>;
  try {
    read = JSON.parse(manifest);
  } catch {
    return null;
  }
  const fine = read.isFallbackPublicClient || read.allowPublicClient;
  const client_id = String(read.appId ?? "");
  const deviations = codes.map((code) => ({ code, args: { client_id } }));
  return [
    {
      name: String(read.displayName ?? "Mailroom"),
      client_id,
      deviations: fine ? [] : deviations,
      expiries: [],
    },
    fine ? [] : codes.map((code) => card(code, language)),
  ];
}

/** The beginning of the script. */
export const script = (
  runsIn: Shell,
  access: Access,
  tenant: string,
): string =>
  runsIn === "powershell"
    ? `# Makes or mends Mailroom's app registration in Microsoft Entra ID.
# Without -Apply it only looks and says what it would do. Needs the module Microsoft.Graph.Applications
# (Install-Module Microsoft.Graph.Applications -Scope CurrentUser). It may be run again: what is there stays.
param([switch]$Apply)
$ErrorActionPreference = 'Stop'
$name = 'Mailroom'
$tenant = '${tenant}'
$redirect = 'http://localhost'
$scopes = @('openid', 'offline_access', 'email', ${access === "imap" ? "'IMAP.AccessAsUser.All', 'SMTP.Send'" : "'User.Read', 'Mail.ReadWrite', 'Mail.Send'"})
`
    : `#!/bin/sh
# Makes or mends Mailroom's app registration in Microsoft Entra ID with the Azure command line (az login first).
# Without --apply it only looks and says what it would do. It may be run again: what is there stays.
set -eu
name='Mailroom'
tenant='${tenant}'
redirect='http://localhost'
`;
