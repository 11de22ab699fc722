// Where the window is. Screens are links (`#/tickets/12`), so going back and opening again work as everywhere.
export type Route =
  | { screen: "addresses" }
  | {
      screen: "address";
      id: number;
      /** Look for forwarding rules at once. */
      rules?: boolean;
    }
  | { screen: "ledger"; id: number }
  | {
      screen: "connect";
      sandbox: boolean;
      address?: string;
      /** Sign in without naming the practice tenant. */
      anyTenant?: boolean;
    }
  | { screen: "reconnect"; id: number }
  /** Asks for the permission to read the mailbox's rules. */
  | { screen: "forwarding"; id: number }
  /** Signs in with the browser from now on instead of with a password. */
  | { screen: "convert"; id: number }
  | { screen: "editServers"; id: number }
  | { screen: "tickets" }
  | { screen: "ticket"; id: number }
  | { screen: "explain" }
  | { screen: "servers" }
  | { screen: "forecast" }
  | { screen: "bundle" }
  | { screen: "practise" }
  | { screen: "exercise"; name: string }
  | { screen: "settings" };

/** Reads a location hash; whatever is no screen is the list of addresses. */
export function parse(hash: string): Route {
  const [screen, id, part] = hash.replace(/^#\/?/, "").split("/");
  const number = Number(id);
  if (screen === "connect" && id === "for" && part)
    return { screen, sandbox: false, address: plain(part) };
  if (screen === "connect")
    return {
      screen,
      sandbox: id === "practice",
      ...(part === "any" && { anyTenant: true }),
    };
  if (screen === "practise")
    return id ? { screen: "exercise", name: plain(id) } : { screen };
  if (
    screen === "settings" ||
    screen === "explain" ||
    screen === "servers" ||
    screen === "forecast" ||
    screen === "bundle"
  )
    return { screen };
  if (screen === "tickets")
    return number > 0 ? { screen: "ticket", id: number } : { screen };
  if (screen === "addresses" && number > 0) {
    if (part === "ledger") return { screen: "ledger", id: number };
    if (part === "servers") return { screen: "editServers", id: number };
    if (part === "reconnect" || part === "forwarding" || part === "convert")
      return { screen: part, id: number };
    if (part === "rules") return { screen: "address", id: number, rules: true };
    return { screen: "address", id: number };
  }
  return { screen: "addresses" };
}

function plain(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/** The link to a screen. */
export function href(to: Route): string {
  switch (to.screen) {
    case "address":
      return `#/addresses/${to.id}${to.rules ? "/rules" : ""}`;
    case "ledger":
      return `#/addresses/${to.id}/ledger`;
    case "reconnect":
      return `#/addresses/${to.id}/reconnect`;
    case "forwarding":
      return `#/addresses/${to.id}/forwarding`;
    case "convert":
      return `#/addresses/${to.id}/convert`;
    case "editServers":
      return `#/addresses/${to.id}/servers`;
    case "connect":
      if (to.address) return `#/connect/for/${encodeURIComponent(to.address)}`;
      if (to.sandbox && to.anyTenant) return "#/connect/practice/any";
      return to.sandbox ? "#/connect/practice" : "#/connect";
    case "exercise":
      return `#/practise/${encodeURIComponent(to.name)}`;
    case "ticket":
      return `#/tickets/${to.id}`;
    default:
      return `#/${to.screen}`;
  }
}

class Here {
  route = $state<Route>(parse(location.hash));
}
export const here = new Here();

/** Goes to a screen. */
export function go(to: Route): void {
  location.hash = href(to);
  here.route = to;
}

addEventListener("hashchange", () => {
  here.route = parse(location.hash);
});
