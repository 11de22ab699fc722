import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { expect, test } from "vitest";
import type {
  AddressView,
  ConnectionMap,
  ExerciseView,
  PracticeView,
  StationState,
} from "../src/bindings";
import { practising } from "../src/practising.svelte";
import { address, app, card, finding, type Answers } from "./core";
import { open as openWindow } from "./window";

const sandbox = {
  authority: "http://localhost:1",
  graph_url: "http://localhost:1",
  client_id: "c",
  tenant: "t",
  users: [{ address: address.address, password: "secret", name: "Support" }],
  scenarios: [],
};
const mailbox: AddressView = { ...address, sandbox: true };
const admin = { address: "admin@x.example", password: "key", name: "Admin" };

const exercise = (given: Partial<ExerciseView>): ExerciseView => ({
  name: "app-disabled",
  title: "The app was switched off",
  meaning: "An admin did that.",
  code: "AADSTS7000112",
  mender: "tenant_admin",
  mender_label: "Tenant admin",
  mend: "switch",
  mend_text: "Open the page and change it.",
  strikes: "connection",
  page: "http://localhost:1/admin/application",
  on: false,
  ...given,
});

const map = (state: StationState): ConnectionMap => ({
  address: address.address,
  at: 0,
  stations: (["consent", "fetch"] as const).map((station, at) => ({
    station,
    state: at === 0 ? state : state === "ok" ? "ok" : "blocked",
    took_ms: 1,
    blocked_by: at === 1 && state !== "ok" ? "consent" : null,
    finding: at === 0 && state !== "ok" ? finding : null,
    facts: {},
  })),
  scopes: [],
  full_access: "unknown",
  send_as: "unknown",
});

function open(hash: string, given: Partial<ExerciseView>, answers: Answers) {
  const view: PracticeView = { exercises: [exercise(given)], admin };
  practising.broken = [];
  practising.mended = [];
  practising.seen = false;
  return openWindow(hash, {
    app_view: () => ({ ...app, sandbox }),
    list_addresses: () => [mailbox],
    list_approvals: () => [],
    practice: () => view,
    begin_exercise: () => null,
    end_exercise: () => null,
    ...answers,
  });
}

const names = (asked: [string, any][]) => asked.map(([command]) => command);

test("what an admin mends is broken, seen on the map, mended in the browser, and turns green by itself", async () => {
  let on: string[] = [];
  const { asked } = open(
    "#/practise/app-disabled",
    {},
    {
      begin_exercise: ({ name }) => {
        on = [name];
        return null;
      },
      exercises_on: () => on,
      check_address: () => map(on.length ? "failed" : "ok"),
      open_link: () => null,
      explain: () => card,
    },
  );
  await fireEvent.click(await screen.findByTestId("practise-break"));
  await screen.findByText("Open the page and change it.");
  await screen.findByText("admin@x.example");
  await fireEvent.click(screen.getByTestId("practise-open"));
  expect(asked.find(([command]) => command === "open_link")?.[1]).toEqual({
    url: "http://localhost:1/admin/application",
  });
  await waitFor(() => expect(practising.seen).toBe(true));
  expect(screen.queryByText(/Mended: mail gets through/)).toBeNull();
  on = [];
  await waitFor(
    () =>
      expect(screen.getByTestId("exercise-page").dataset.mended).toBe("true"),
    { timeout: 5000 },
  );
  expect(names(asked)).toContain("poll_practice");
});

test("what passes by itself passes on request, and everything is brought back", async () => {
  let on: string[] = [];
  const { asked } = open(
    "#/practise/throttled",
    {
      name: "throttled",
      mender: "nobody",
      mend: "passes",
      mend_text: "Nobody has to act.",
      page: null,
    },
    {
      begin_exercise: ({ name }) => {
        on = [name];
        return null;
      },
      end_exercise: () => {
        on = [];
        return null;
      },
      exercises_on: () => on,
      check_address: () => map(on.length ? "warning" : "ok"),
    },
  );
  await fireEvent.click(await screen.findByTestId("practise-break"));
  await waitFor(() => expect(practising.seen).toBe(true));
  await fireEvent.click(screen.getByTestId("practise-pass"));
  await waitFor(() =>
    expect(screen.getByTestId("exercise-page").dataset.mended).toBe("true"),
  );
  expect(names(asked)).toContain("end_exercise");
});

test("a banner on every other screen says that something is broken on purpose, and ends it", async () => {
  const { asked } = open(
    "#/tickets",
    {},
    {
      exercises_on: () => ["app-disabled"],
      list_tickets: () => ({ total: 0, tickets: [] }),
    },
  );
  await screen.findByText(/“The app was switched off”/);
  await fireEvent.click(
    screen.getByRole("button", { name: "Stop practising" }),
  );
  await waitFor(() => expect(names(asked)).toContain("end_exercise"));
  await waitFor(() =>
    expect(screen.queryByTestId("practising-banner")).toBeNull(),
  );
});

test("real addresses are never offered for practising", async () => {
  open("#/practise/app-disabled", {}, { list_addresses: () => [address] });
  await screen.findByText("Connect a practice mailbox first");
  expect(screen.queryByTestId("practise-break")).toBeNull();
});

test("failures are found by their code", async () => {
  open("#/practise", {}, {});
  await screen.findByTestId("exercise");
  const field = screen.getByTestId("practise-search");
  await fireEvent.input(field, { target: { value: "aadsts7000112" } });
  screen.getByText("1 failure to practise");
  await fireEvent.input(field, { target: { value: "zzz" } });
  screen.getByText("Nothing to practise matches");
});
