// What the wizard asks for, and what of it the core is told.
import type {
  ApiError,
  CloudInput,
  ConvertTo,
  ImapInput,
  IssuerInput,
  Opens,
  RegistrationInput,
  SandboxView,
  SmtpInput,
  Tls,
} from "../../bindings";

import type { Registration } from "../../ipc";

export type Step =
  "address" | "servers" | "convert" | "registration" | "signin" | "ready";

/** What takes the place of a password: tokens at the same server, of Microsoft or of another issuer, or Graph. */
export type ConvertWay = "imap" | "graph" | "issuer";

/** How a mail server is signed in to. */
export type SignIn = "password" | "microsoft" | "issuer";

/** A shared mailbox is signed in to by somebody, in the browser; a password would be the mailbox's own. */
export const signInOf = (opens: Opens, signIn: SignIn): SignIn =>
  opens === "shared" && signIn === "password" ? "issuer" : signIn;

/** One mail server as typed in. */
export interface ServerForm {
  host: string;
  port: number | null;
  tls: Tls;
  login: string;
}

export interface Form {
  address: string;
  brand: string;
  opens: Opens;
  way: "graph" | "imap";
  inbound: ServerForm;
  signIn: SignIn;
  issuer: string;
  issuerClient: string;
  scopes: string;
  sends: boolean;
  outbound: ServerForm;
  from: string;
  clientId: string;
  tenant: string;
  cloud: Exclude<CloudInput["kind"], "custom">;
  privateWindow: boolean;
}

/** The practice tenant's mailbox for support mail. */
const practiceAddress = "support@contoso.example";

/** Another one, for those who have the first. */
const otherPracticeAddress = "alex@contoso.example";

export const blank = (practice: boolean, anyTenant = false): Form => ({
  address: anyTenant ? otherPracticeAddress : practice ? practiceAddress : "",
  brand: practice ? "Contoso" : "",
  opens: "own",
  way: "graph",
  inbound: { host: "", port: 993, tls: "implicit", login: "" },
  signIn: "password",
  issuer: "",
  issuerClient: "",
  scopes: "openid offline_access email",
  sends: true,
  outbound: { host: "", port: 587, tls: "start_tls", login: "" },
  from: "",
  clientId: "",
  tenant: "",
  cloud: "global",
  privateWindow: false,
});

/** Looks like an address; the core decides. */
export const isAddress = (text: string): boolean =>
  /^[^\s@]+@[^\s@]+\.[^\s@.]+$/u.test(text.trim());

/** The most that one import takes. */
export const mostMails = 1_000_000;

/** From more than so many on it is said beforehand that it takes a while. */
const manyMails = 10_000;

/** Whether so many mails take long enough to say so. */
export const isMany = (count: number | null): boolean =>
  isAmount(count) && count! > manyMails;

/** A number of mails that can be imported. */
export const isAmount = (count: number | null): boolean =>
  Number.isInteger(count) && count! >= 1 && count! <= mostMails;

/** A client id as the Entra admin centre shows it. */
export const isGuid = (text: string): boolean =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text.trim());

/** A tenant is a GUID, one of its domains, or the word for any organisation. */
export const isTenant = (text: string): boolean =>
  isGuid(text) ||
  text.trim() === "organizations" ||
  /^[^\s@/.]+(\.[^\s@/.]+)+$/u.test(text.trim());

export function registrationOf(
  form: Form,
  sandbox: SandboxView | null,
  anyTenant = false,
): RegistrationInput | null {
  if (sandbox)
    return {
      client_id: sandbox.client_id,
      tenant: anyTenant ? "organizations" : sandbox.tenant,
      cloud: {
        kind: "custom",
        authority: sandbox.authority,
        graph_url: sandbox.graph_url,
      },
    };
  if (!form.clientId) return null;
  return {
    client_id: form.clientId.trim(),
    tenant: form.tenant.trim(),
    cloud: { kind: form.cloud },
  };
}

/** What the registration in Entra should be. Of what is typed, only what can be right goes into it. */
export const wantedOf = (form: Form): Registration => ({
  access:
    form.way === "imap"
      ? "imap"
      : form.opens === "shared"
        ? "graph_shared"
        : "graph",
  name: "Mailroom",
  tenant: isTenant(form.tenant) ? form.tenant.trim() : "",
  clientId: isGuid(form.clientId) ? form.clientId.trim() : null,
});

/** Domains of Exchange Online's servers, in each cloud that there is a choice of. */
const microsoft =
  /(^|\.)(office365\.com|office\.com|outlook\.com|office365\.us|outlook\.cn)$/i;

/** Whether a server may be one of Microsoft's, so that its sign-in by IMAP is worth an offer; the core decides. */
export const isAtMicrosoft = (host: string) => microsoft.test(host.trim());

/** Exchange Online by IMAP and SMTP (Microsoft, "POP, IMAP, and SMTP settings for Outlook.com and Microsoft 365"). */
export const exchangeOnline = (form: Form): Partial<Form> => ({
  inbound: {
    host: "outlook.office365.com",
    port: 993,
    tls: "implicit",
    login: form.address.trim(),
  },
  outbound: {
    host: "smtp.office365.com",
    port: 587,
    tls: "start_tls",
    login: "",
  },
  signIn: "microsoft",
});

/** The port by convention (RFC 8314 §3, RFC 9051 §1). */
export const usualPort = (inbound: boolean, tls: Tls): number =>
  inbound ? (tls === "implicit" ? 993 : 143) : tls === "implicit" ? 465 : 587;

/** A brand's name has 1 to 80 characters. */
export const isBrand = (text: string): boolean =>
  text.trim() !== "" && [...text.trim()].length <= 80;

/** Looks like a server's name or an address of its own; the core decides. */
export const isHost = (text: string): boolean =>
  /^(\[[0-9a-f:]+\]|[^\s@/:?#]+)$/iu.test(text.trim());

/** A port that can be asked. */
export const isPort = (port: number | null): boolean =>
  Number.isInteger(port) && port! >= 1 && port! <= 65_535;

/** What stands between addresses of a list. */
export const senders = /[;,\n]/u;

const named = ({ host, port }: ServerForm) => `${host.trim()}:${port}`;
/** The pieces of a typed list. */
export const parts = (text: string, by: RegExp): string[] =>
  text
    .split(by)
    .map((part) => part.trim())
    .filter(Boolean);

const issuerOf = (form: Form): IssuerInput => ({
  issuer: form.issuer.trim(),
  client_id: form.issuerClient.trim(),
  scopes: parts(form.scopes, /\s+/u),
  parameters: {},
});

/** What takes the place of the password. */
export const convertTo = (
  way: ConvertWay,
  form: Form,
  registration: RegistrationInput | null,
): ConvertTo =>
  way === "issuer"
    ? { kind: "imap_issuer", by: issuerOf(form) }
    : { kind: way === "graph" ? "graph" : "imap_token", by: registration };

export const imapOf = (form: Form): ImapInput => ({
  server: named(form.inbound),
  tls: form.inbound.tls,
  login: form.inbound.login.trim(),
  folder: null,
  issuer: form.signIn === "issuer" ? issuerOf(form) : null,
});

/** What is stored for sending; `signedIn` is the login name of who signed in to a shared mailbox. */
export const smtpOf = (form: Form, signedIn: string | null): SmtpInput => ({
  server: named(form.outbound),
  tls: form.outbound.tls,
  login:
    form.outbound.login.trim() ||
    (form.opens === "shared" ? signedIn : null) ||
    null,
  auth: null,
  from: parts(form.from, senders),
});

/** The step on which an error can be mended. */
export function stepOf({ code, args }: ApiError, form: Form, now: Step): Step {
  const imap = form.way === "imap";
  if (
    code === "invalid_issuer" ||
    code === "not_exchange" ||
    (imap && code === "out_of_range")
  )
    return "servers";
  if (imap && code === "invalid_client_id" && form.signIn === "issuer")
    return "servers";
  if (code === "invalid_address" && args.value !== form.address.trim() && imap)
    return "servers";
  if (code === "invalid_address" || code === "address_in_use") return "address";
  if (
    code === "invalid_client_id" ||
    code === "invalid_tenant" ||
    code === "tenant_not_found" ||
    code === "registration_needed"
  )
    return "registration";
  return now;
}
