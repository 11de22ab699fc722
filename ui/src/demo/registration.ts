// The demonstration's app registration: its script, and what a look at its manifest finds.
import type { Access, Audit, Card, Shell } from "../bindings";

type Language = "en" | "de" | "ja";

const words = {
  en: [
    "Owner of the app registration",
    "App registration › Authentication",
    [
      "The redirect address stands under Web",
      "For addresses under Web, Entra wants a secret when the sign-in ends (AADSTS7000218). Mailroom runs on people's own computers and has none.",
      "Open Authentication and add http://localhost under Mobile and desktop applications.",
      "Remove the same address there if it also stands under Web.",
    ],
    [
      "Public client flows are off",
      "Entra then takes the app for one with a secret and may refuse to redeem the sign-in (AADSTS7000218).",
      "Open Authentication and set Allow public client flows to Yes.",
    ],
  ],
  de: [
    "Besitzer der App-Registrierung",
    "App-Registrierung › Authentifizierung",
    [
      "Die Umleitungsadresse steht unter „Web“",
      "Bei Adressen unter „Web“ verlangt Entra am Ende der Anmeldung ein Geheimnis (AADSTS7000218). Mailroom läuft auf den Computern der Personen selbst und hat keines.",
      "Öffnen Sie „Authentifizierung“ und fügen Sie http://localhost unter „Mobilgerät- und Desktopanwendungen“ hinzu.",
      "Entfernen Sie dort dieselbe Adresse, falls sie auch unter „Web“ steht.",
    ],
    [
      "Öffentliche Clientflows sind ausgeschaltet",
      "Entra hält die App dann für eine mit Geheimnis und kann das Einlösen der Anmeldung verweigern (AADSTS7000218).",
      "Öffnen Sie „Authentifizierung“ und stellen Sie „Öffentliche Clientflows zulassen“ auf „Ja“.",
    ],
  ],
  ja: [
    "アプリ登録の所有者",
    "アプリの登録 › 認証",
    [
      "リダイレクト URI が「Web」に登録されています",
      "「Web」の URI では、サインインの最後にシークレットが要求されます (AADSTS7000218)。利用者のコンピューターで動作する Mailroom にはシークレットがありません。",
      "「認証」を開き、「モバイル アプリケーションとデスクトップ アプリケーション」に http://localhost を追加します。",
      "同じアドレスが「Web」にもある場合は削除します。",
    ],
    [
      "パブリック クライアント フローがオフです",
      "シークレットを持つアプリとして扱われ、サインインが拒否されることがあります (AADSTS7000218)。",
      "「認証」を開き、「パブリック クライアント フローを許可する」を「はい」にします。",
    ],
  ],
} as const;

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
  const [owner, link, ...found] = words[language];
  const fine = read.isFallbackPublicClient || read.allowPublicClient;
  const client_id = String(read.appId ?? "");
  const cards = found.map(([title, meaning, ...steps], at): Card => ({
    code: codes[at]!,
    title,
    meaning,
    severity: "failed",
    fixers: ["app_owner"],
    fixer_labels: [owner],
    steps,
    links: [{ label: link, url: "https://entra.microsoft.com/" }],
    commands: [],
    notes: [],
    known: true,
  }));
  const deviations = codes.map((code) => ({ code, args: { client_id } }));
  return [
    {
      name: String(read.displayName ?? "Mailroom"),
      client_id,
      deviations: fine ? [] : deviations,
      expiries: [],
    },
    fine ? [] : cards,
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
