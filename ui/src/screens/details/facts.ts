import type { AddressDetails, ImapServer } from "../../bindings";
import { t } from "../../i18n/i18n.svelte";
import type { Registration } from "../../ipc";
import type { Fact } from "../../parts/Facts.svelte";

/** Who signed in and what is read, named. */
export function identityFacts(details: AddressDetails): Fact[] {
  const { identity, folder, address } = details;
  return [
    ...(address.mailbox
      ? [{ name: t("identity.opens"), value: address.mailbox }]
      : []),
    // IMAP servers know login names only.
    ...(identity.display_name
      ? [{ name: t("identity.name"), value: identity.display_name }]
      : []),
    { name: t("identity.login"), value: identity.login_name },
    ...(identity.primary_address
      ? [{ name: t("identity.primary"), value: identity.primary_address }]
      : []),
    ...(identity.aliases.length
      ? [{ name: t("identity.aliases"), value: identity.aliases.join(", ") }]
      : []),
    { name: t("identity.folder"), value: folder },
  ];
}

/** Through which app registration, named. */
export function registrationFacts({
  registration,
  identity,
}: AddressDetails): Fact[] {
  return [
    {
      name: t("registration.client"),
      value: registration.client_id,
      code: true,
    },
    { name: t("registration.tenant"), value: registration.tenant, code: true },
    ...(identity.tenant_id !== registration.tenant
      ? [{ name: t("identity.tenant"), value: identity.tenant_id, code: true }]
      : []),
    {
      name: t("registration.service"),
      value: registration.authority,
      code: true,
    },
    {
      name: t("registration.graph"),
      value: registration.graph_url,
      code: true,
    },
  ];
}

/** What the app registration in Entra should be; nothing where the sign-in is not Entra's. */
export function wantedRegistration({
  address,
  registration,
}: AddressDetails): Registration | null {
  // The registration at another issuer stands with one place for both.
  const entra = registration.authority !== registration.graph_url;
  if (!registration.client_id || !entra) return null;
  return {
    access:
      address.provider === "imap"
        ? "imap"
        : address.mailbox
          ? "graph_shared"
          : "graph",
    name: "Mailroom",
    tenant: registration.tenant,
    clientId: registration.client_id,
  };
}

/** The mail servers, named. */
export function serverFacts({ server, outbound }: AddressDetails): Fact[] {
  return [
    ...(server ? ofServer("serverFact.inbound", server) : []),
    ...(outbound ? ofServer("serverFact.outbound", outbound) : []),
    ...(outbound?.from?.length
      ? [{ name: t("serverFact.from"), value: outbound.from.join(", ") }]
      : []),
  ];
}

function ofServer(
  name: "serverFact.inbound" | "serverFact.outbound",
  { host, port, tls, login, auth }: ImapServer,
): Fact[] {
  const words = [t(`tls.${tls}`), login, t(`auth.${auth}`)].join(" · ");
  return [{ name: t(name), value: `${host}:${port} · ${words}` }];
}
