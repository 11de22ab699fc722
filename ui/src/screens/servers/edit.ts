// What differs between the servers as typed in and as they are kept.
import type {
  AddressDetails,
  ImapServer,
  InboundInput,
  SmtpInput,
} from "../../bindings";
import { parts, senders, type ServerForm } from "../connect/form";

const named = ({ host, port }: ServerForm) => `${host.trim()}:${port}`;
const same = (one: string, other: string) =>
  one.trim().toLowerCase() === other.toLowerCase();

/** Whether mail would be read at another place, where its numbers mean something else. */
export const isMoved = (form: ServerForm, now: ImapServer): boolean =>
  !same(form.host, now.host) || form.login.trim() !== now.login;

/** The inbound server to save; nothing where it stays as it is. */
export function inboundOf(
  form: ServerForm,
  { server }: AddressDetails,
  withPassword: boolean,
): InboundInput | null {
  const stays =
    server &&
    !withPassword &&
    !isMoved(form, server) &&
    form.port === server.port &&
    form.tls === server.tls;
  if (stays) return null;
  return { server: named(form), tls: form.tls, login: form.login.trim() };
}

/** The outbound server to save; nothing where it stays as it is. */
export function outboundOf(
  form: ServerForm,
  from: string,
  { outbound }: AddressDetails,
  withPassword: boolean,
): SmtpInput | null {
  const wanted = parts(from, senders);
  const stays =
    outbound &&
    !withPassword &&
    same(form.host, outbound.host) &&
    form.port === outbound.port &&
    form.tls === outbound.tls &&
    form.login.trim() === outbound.login &&
    wanted.join() === (outbound.from ?? []).join();
  if (stays) return null;
  return {
    server: named(form),
    tls: form.tls,
    login: form.login.trim() || null,
    auth: null,
    from: wanted,
  };
}
