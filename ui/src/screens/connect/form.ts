// What the wizard asks for, and what of it the core is told.
import type {
  CloudInput,
  ErrorCode,
  RegistrationInput,
  SandboxView,
} from "../../bindings";

export type Step = "address" | "registration" | "signin" | "ready";

export interface Form {
  address: string;
  brand: string;
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
  clientId: "",
  tenant: "",
  cloud: "global",
  privateWindow: false,
});

/** Looks like an address; the core decides. */
export const isAddress = (text: string): boolean =>
  /^[^\s@]+@[^\s@]+\.[^\s@.]+$/u.test(text.trim());

/** The most that one import takes. */
export const mostMails = 10_000;

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

/** The step on which an error can be mended. */
export function stepOf(code: ErrorCode, now: Step): Step {
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
