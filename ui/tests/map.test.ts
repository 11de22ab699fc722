import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { expect, test, vi } from "vitest";
import type {
  AddressView,
  HandOff,
  ConnectionMap as Map,
  Explanation,
  Station,
  StationState,
} from "../src/bindings";
import { live } from "../src/live.svelte";
import ConnectionMap from "../src/parts/ConnectionMap.svelte";
import { states, ways } from "../src/parts/map/looks";
import { summary } from "../src/parts/map/summary";
import { address, card, finding, problem, tell, type Answers } from "./core";
import { details as healthy, open as openWindow } from "./window";

type Facts = Map["stations"][number]["facts"];
const order: Station[] = [
  "computer",
  "network",
  "registration",
  "sign_in",
  "consent",
  "token",
  "mailbox",
  "mailbox_right",
  "folder",
  "fetch",
  "mark",
  "send",
  "round_trip",
];

/** A map that ends at `stop`, as the core gives it: what is behind is blocked. */
function mapOf(stop: Station | null): Map {
  const end = stop ? order.indexOf(stop) : order.length;
  return {
    address: address.address,
    at: Date.UTC(2026, 0, 2, 3, 4, 5),
    stations: order.map((station, at) => ({
      station,
      state: at < end ? "ok" : at === end ? "failed" : "blocked",
      took_ms: at < end ? 12 : at === end ? 1400 : null,
      finding: at === end ? finding : null,
      blocked_by: at > end ? stop : null,
      facts: (at === end ? { missing: "Mail.Send" } : {}) as Facts,
    })),
    scopes: [
      { name: "Mail.ReadWrite", needed: true, granted: true },
      { name: "Mail.Send", needed: true, granted: stop === null },
    ],
    full_access: stop ? "blocked" : "ok",
    send_as: stop ? "blocked" : "unknown",
  };
}

function draw(map: Map, more: Record<string, unknown> = {}) {
  return render(ConnectionMap, {
    map,
    checking: null,
    card: () => Promise.resolve(card),
    onlink: vi.fn(),
    ...more,
  });
}
const station = (name: Station) => screen.getByTestId(`station-${name}`);

const failed: AddressView = {
  ...address,
  id: 2,
  status: "failed",
  cause: finding,
};
const request: HandOff = {
  id: 5,
  kind: "approval",
  code: "AADSTS65001",
  address: failed.address,
  address_id: 2,
  asked_at: Date.UTC(2026, 0, 2, 3, 4, 5),
  consent_link: "https://login.example/adminconsent",
  messages: {
    en: { subject: "Please approve", text: "Hello admin\n", commands: [] },
    de: { subject: "Bitte zustimmen", text: "Guten Tag\n", commands: [] },
    ja: { subject: "承認のお願い", text: "お疲れさまです\n", commands: [] },
  },
  state: "waiting",
  recheck: "quiet",
  checked_at: null,
  mailed: null,
  forwarding: false,
};
const explanation: Explanation = {
  card,
  matched: "AADSTS65001",
  raw: "",
  details: { tenant: "contoso" },
};

/** Opens the window at a place. */
function open(hash: string, answers: Answers) {
  const opened = openWindow(hash, {
    address_details: ({ id }) => {
      if (id !== 2) throw problem("not_found");
      return details;
    },
    list_hand_offs: () => [],
    hand_off_senders: () => [],
    ...answers,
  });
  return opened.asked;
}
const details = { ...healthy, address: failed };

test("every state of a station differs in shape and word, not in colour alone", () => {
  const map = mapOf(null);
  const all = Object.keys(states) as StationState[];
  all.forEach((state, at) => (map.stations[at]!.state = state));
  draw(map);
  const shapes = all.map(
    (_, at) => station(order[at]!).querySelector(".sign svg")?.innerHTML,
  );
  const said = all.map(
    (_, at) => station(order[at]!).querySelector(".state")?.textContent,
  );
  expect(new Set(shapes).size).toBe(all.length);
  expect(new Set(said).size).toBe(all.length);
});

test("the station that failed is open: what was seen, what it means, who and what", async () => {
  draw(mapOf("consent"));
  const buttons = screen.getAllByTestId(/^station-/);
  expect(buttons.map((one) => one.dataset.testid)).toEqual(
    order.map((name) => `station-${name}`),
  );
  expect(
    buttons
      .filter((one) => one.getAttribute("aria-expanded") === "true")
      .map((one) => one.dataset.testid),
  ).toEqual(["station-consent"]);
  await screen.findByRole("heading", { name: "Approval is missing" });
  const panel = document.getElementById(
    station("consent").getAttribute("aria-controls")!,
  )!;
  for (const words of [
    "What we saw",
    "Mail.Send",
    "1.4 sec",
    "request-1",
    "2026-01-02 03:04:05 UTC",
    "Nobody has approved",
    "Tenant admin",
    "What to do",
  ])
    expect(panel.textContent).toContain(words);
  expect(panel.querySelector("details")?.open).toBe(false);
});

test("what is behind a failed station is blocked and names what blocks it", async () => {
  draw(mapOf("consent"));
  expect(station("folder").dataset.state).toBe("blocked");
  await fireEvent.click(station("folder"));
  expect(station("consent").getAttribute("aria-expanded")).toBe("false");
  expect(screen.getByText(/“Consent” has to be mended first/)).toBeTruthy();
  await fireEvent.click(station("folder"));
  expect(station("folder").getAttribute("aria-expanded")).toBe("false");
});

test("the line shows how far mail gets", () => {
  const line = ways(mapOf("consent").stations);
  expect(line.slice(0, 4)).toEqual(["open", "open", "open", "open"]);
  expect(new Set(line.slice(4))).toEqual(new Set(["cut"]));
  const unproved = mapOf(null);
  unproved.stations[11]!.state = "unknown";
  unproved.stations[12]!.state = "unknown";
  expect(ways(unproved.stations).slice(9)).toEqual([
    "open",
    "dim",
    "dim",
    "dim",
  ]);
  expect(summary(unproved)).toContain("Sending has not been proved");
  expect(summary(mapOf("consent"))).toContain("“Consent”");
  expect(summary(mapOf(null))).toContain("both directions");
});

test("a pause that passes by itself is no failure", () => {
  const map = mapOf("mailbox");
  map.stations[6]!.state = "warning";
  expect(summary(map)).toContain("pauses at “Mailbox”");
  draw(map);
  expect(station("mailbox").getAttribute("aria-expanded")).toBe("true");
});

test("the arrow keys lead along the stations, and one of them takes the Tab", async () => {
  draw(mapOf("consent"));
  const tabbed = () =>
    screen.getAllByTestId(/^station-/).filter((one) => one.tabIndex === 0);
  expect(tabbed()).toEqual([station("consent")]);
  station("consent").focus();
  await fireEvent.keyDown(station("consent"), { key: "ArrowRight" });
  expect(document.activeElement).toBe(station("token"));
  expect(tabbed()).toEqual([station("token")]);
  await fireEvent.keyDown(station("token"), { key: "End" });
  expect(document.activeElement).toBe(station("round_trip"));
  await fireEvent.keyDown(station("round_trip"), { key: "ArrowRight" });
  expect(document.activeElement).toBe(station("round_trip"));
  await fireEvent.keyDown(station("round_trip"), { key: "Home" });
  expect(document.activeElement).toBe(station("computer"));
  expect(station("consent").getAttribute("aria-expanded")).toBe("true");
});

test("one station or the whole way can be looked at again", async () => {
  const oncheck = vi.fn();
  draw(mapOf("consent"), { oncheck });
  await screen.findByRole("heading", { name: "Approval is missing" });
  await fireEvent.click(
    screen.getByRole("button", { name: "Check this station again" }),
  );
  await fireEvent.click(screen.getByTestId("check-connection"));
  expect(oncheck.mock.calls).toEqual([["consent"], [null]]);
});

test("consent and mailbox right are two lamps", () => {
  draw(mapOf("mailbox_right"));
  expect(screen.getByTestId("lamp-consent").dataset.state).toBe("ok");
  const right = screen.getByTestId("lamp-right");
  expect(right.dataset.state).toBe("failed");
  expect(right.textContent).toContain("Full Access");
  expect(right.textContent).toContain("Send As");
});

test("an address that is unwell is checked by itself, and told station by station", async () => {
  let answer = (_: Map) => {};
  const asked = open("#/addresses/2", {
    list_addresses: () => [failed],
    check_address: () => new Promise<Map>((done) => (answer = done)),
  });
  await waitFor(() =>
    expect(asked.filter(([command]) => command === "check_address")).toEqual([
      ["check_address", { id: 2, only: null }],
    ]),
  );
  const partly = mapOf("consent");
  partly.stations.slice(2).forEach((one) => {
    one.state = "unknown";
    one.finding = null;
  });
  await tell({ kind: "check", value: { id: 2, map: partly } });
  await screen.findByTestId("station-network");
  expect(station("registration").textContent).toContain("Checking");
  answer(mapOf("consent"));
  await waitFor(() =>
    expect(station("consent").getAttribute("aria-expanded")).toBe("true"),
  );
  expect(live.said).toContain("“Consent”");
});

test("a healthy address is checked only when asked, and nothing is sent without a yes", async () => {
  const well = { ...failed, status: "verified", cause: null } as AddressView;
  const asked = open("#/addresses/2", {
    list_addresses: () => [well],
    check_address: () => mapOf(null),
    prove_sending: () => mapOf(null),
  });
  const button = await screen.findByTestId("check-connection");
  expect(asked.some(([command]) => command === "check_address")).toBe(false);
  await fireEvent.click(button);
  await fireEvent.click(await screen.findByTestId("prove-sending"));
  const dialog = await screen.findByRole("dialog");
  expect(dialog.textContent).toContain(well.address);
  expect(dialog.textContent).toContain("Mailroom test");
  expect(asked.some(([command]) => command === "prove_sending")).toBe(false);
  await fireEvent.click(screen.getByTestId("prove-confirm"));
  await waitFor(() =>
    expect(asked.some(([command]) => command === "prove_sending")).toBe(true),
  );
});

test("what signing in again mends offers that first", async () => {
  const map = mapOf("token");
  map.stations[5]!.finding = { ...finding, code: "x", sign_in_again: true };
  open("#/addresses/2", {
    list_addresses: () => [failed],
    check_address: () => map,
  });
  const link = await screen.findByRole("link", { name: "Sign in again" });
  expect(link.getAttribute("href")).toBe("#/addresses/2/reconnect");
});

test("an admin is asked in the admin's language, waited for, and no longer", async () => {
  const waiting: HandOff[] = [];
  const asked = open("#/addresses/2", {
    list_addresses: () => [failed],
    check_address: () => mapOf("consent"),
    list_hand_offs: () => waiting,
    hand_off: () => (waiting.push(request), request),
    withdraw_hand_off: () => (waiting.pop(), null),
  });
  await fireEvent.click(await screen.findByTestId("ask-admin"));
  const message = await screen.findByTestId("handoff-message");
  expect(message.textContent).toContain("Hello admin");
  expect(asked.find(([command]) => command === "hand_off")?.[1]).toEqual({
    whom: { kind: "address", id: 2 },
    code: "AADSTS65001",
  });
  await fireEvent.click(screen.getByRole("radio", { name: "日本語" }));
  expect(screen.getByTestId("handoff-message").textContent).toContain(
    "お疲れさまです",
  );
  const banner = await screen.findByTestId("handoff");
  expect(banner.dataset.state).toBe("waiting");
  await fireEvent.click(screen.getByTestId("handoff-withdraw"));
  await waitFor(() => expect(screen.queryByTestId("handoff")).toBeNull());
  expect(
    asked.find(([command]) => command === "withdraw_hand_off")?.[1],
  ).toEqual({ id: 5 });
});

test("a request is mailed only after the person has seen it, once a click", async () => {
  let sent: HandOff = request;
  const asked = open("#/addresses/2", {
    list_addresses: () => [failed, address],
    check_address: () => mapOf("consent"),
    list_hand_offs: () => [sent],
    hand_off: () => request,
    hand_off_senders: () => [
      { id: 1, address: address.address },
      { id: 1, address: "sales@contoso.example" },
    ],
    mail_hand_off: ({ mail }) => {
      const { to, click } = mail as { to: string; click: string };
      if (!to.includes("@")) throw problem("invalid_address");
      const at = Date.UTC(2026, 0, 2);
      const mailed = { from: address.address, to, at, unsure: false, click };
      return (sent = { ...request, mailed });
    },
  });
  await fireEvent.click(await screen.findByTestId("ask-admin"));
  await fireEvent.click(await screen.findByRole("radio", { name: "Deutsch" }));
  await fireEvent.click(screen.getByTestId("handoff-mail"));
  expect(screen.getByTestId("handoff-message").textContent).toContain(
    "Guten Tag",
  );
  const mails = () => asked.filter(([command]) => command === "mail_hand_off");
  expect(mails()).toEqual([]);
  const form = screen.getByTestId("handoff-to").closest("form")!;
  await fireEvent.submit(form);
  await waitFor(() =>
    expect(screen.getByTestId("handoff-to").getAttribute("aria-invalid")).toBe(
      "true",
    ),
  );
  await fireEvent.input(screen.getByTestId("handoff-to"), {
    target: { value: "admin@contoso.example" },
  });
  await fireEvent.change(screen.getByTestId("handoff-from"), {
    target: { value: "sales@contoso.example" },
  });
  await fireEvent.submit(form);
  await screen.findAllByText(/Mailed to admin@contoso.example/);
  const [first, second] = mails().map(
    ([, args]) => (args as { mail: { click: string } }).mail,
  );
  expect(second).toMatchObject({
    id: 5,
    from: 1,
    to: "admin@contoso.example",
    language: "de",
  });
  expect(first?.click).not.toBe(second?.click);
});

test("the list says since when an address waits, also where it is not connected yet", async () => {
  open("", {
    list_addresses: () => [{ ...failed, status: "waiting_for_approval" }],
    list_hand_offs: () => [
      request,
      { ...request, id: 6, address: "new@contoso.example", address_id: null },
    ],
  });
  expect((await screen.findByTestId("row-waiting")).textContent).toContain(
    "2026",
  );
  expect(screen.getByTestId("handoff").textContent).toContain(
    "new@contoso.example",
  );
});

test("a pasted error becomes cards, in the window's language", async () => {
  const asked = open("#/explain", {
    list_addresses: () => [address],
    explain_text: () => [explanation],
  });
  await fireEvent.input(await screen.findByTestId("explain-text"), {
    target: { value: "AADSTS65001: …" },
  });
  await fireEvent.click(screen.getByTestId("explain-button"));
  await screen.findByRole("heading", { name: "Approval is missing" });
  expect(screen.getByTestId("explanation").textContent).toContain(
    "AADSTS65001",
  );
  expect(asked.find(([command]) => command === "explain_text")?.[1]).toEqual({
    text: "AADSTS65001: …",
    language: "en",
  });
});
