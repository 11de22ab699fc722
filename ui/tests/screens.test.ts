import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { expect, test } from "vitest";
import type { AddressView, TicketRow } from "../src/bindings";
import { heard, live } from "../src/live.svelte";
import { href, parse, type Route } from "../src/route.svelte";
import { address, finding, problem, tell } from "./core";
import { open } from "./window";

const failed: AddressView = {
  ...address,
  id: 2,
  address: "billing@contoso.example",
  status: "failed",
  cause: finding,
};
const row: TicketRow = {
  id: 7,
  subject: "Teapot",
  requester: "Maya",
  address: address.address,
  messages: 1,
  updated_at: 5,
  preview: "Hello",
  has_attachments: false,
  automatic: null,
};

test("every screen has a link that leads back to it", () => {
  const routes: Route[] = [
    { screen: "addresses" },
    { screen: "address", id: 3 },
    { screen: "ledger", id: 3 },
    { screen: "reconnect", id: 3 },
    { screen: "connect", sandbox: true },
    { screen: "connect", sandbox: false },
    { screen: "connect", sandbox: false, address: "a+b@contoso.example" },
    { screen: "explain" },
    { screen: "forecast" },
    { screen: "practise" },
    { screen: "exercise", name: "app-disabled" },
    { screen: "connect", sandbox: true, anyTenant: true },
    { screen: "bundle" },
    { screen: "tickets" },
    { screen: "ticket", id: 9 },
    { screen: "settings" },
  ];
  for (const route of routes) expect(parse(href(route))).toEqual(route);
  expect(parse("#/nowhere")).toEqual({ screen: "addresses" });
});

test("the worst address of a brand stands first, with its cause and who can fix it", async () => {
  open("", { list_addresses: () => [address, failed] });
  const rows = await screen.findAllByTestId("address-row");
  expect(rows.map((one) => one.dataset.status)).toEqual(["failed", "verified"]);
  await screen.findByText("Approval is missing");
  expect(rows[0]!.textContent).toContain("Tenant admin");
});

test("a changed status changes the row and is said aloud once", async () => {
  open("", { list_addresses: () => [address] });
  await screen.findByTestId("address-row");
  await tell({ kind: "address", value: { ...address, status: "offline" } });
  await waitFor(() =>
    expect(screen.getByTestId("address-row").dataset.status).toBe("offline"),
  );
  expect(live.said).toBe("support@contoso.example: Offline");
});

test("an import is heard at milestones, not at every tick", () => {
  const at = (pending: number): AddressView => ({
    ...address,
    status: "importing",
    import: {
      state: "running",
      newest: 100,
      totals: {
        found: 100,
        imported: 100 - pending,
        duplicate: 0,
        skipped: 0,
        failed: 0,
      },
      pending,
      rate: 1,
      seconds_left: 1,
      started_at: 0,
      ended_at: null,
    },
  });
  expect(heard(at(90), at(80))).toBeNull();
  expect(heard(at(80), at(70))).toContain("25 percent");
  expect(heard(at(70), at(60))).toBeNull();
});

test("a data folder that cannot be read is said, and trying again works", async () => {
  let broken = true;
  open("", {
    app_view: () => {
      if (broken) throw problem("data_folder", { path: "/data" });
      return {
        version: "1",
        data_dir: "/data",
        polling: "here",
        has_own_registration: false,
        sandbox: null,
        settings: {
          language: "en",
          theme: "system",
          notifications: true,
          keep_in_tray: false,
        },
      };
    },
  });
  await screen.findByText(/Check that \/data exists/);
  broken = false;
  await fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByTestId("welcome-connect");
});

test("without another default the default address is not disconnected", async () => {
  const mine = { ...address, is_default: true };
  const details = {
    address: mine,
    identity: {
      login_name: "l",
      display_name: "d",
      primary_address: null,
      aliases: [],
      tenant_id: "t",
    },
    scopes: [],
    folder: "Inbox",
    poll_interval_s: 60,
    category: "Mailroom",
    registration: {
      authority: "https://a",
      tenant: "t",
      client_id: "c",
      graph_url: "https://g",
    },
    totals: { found: 10, imported: 6, duplicate: 1, skipped: 2, failed: 1 },
    folder_path: null,
    next_folder: null,
    after_import: { kind: "read" },
    server: null,
    outbound: null,
    pending_marks: 0,
    events: [],
  };
  const { asked } = open("#/addresses/1", {
    list_addresses: () => [mine],
    address_details: () => details,
  });
  await screen.findByText("What became of every mail");
  await fireEvent.click(screen.getByRole("button", { name: /Actions for/ }));
  await fireEvent.click(screen.getByRole("menuitem", { name: "Disconnect" }));
  await screen.findByText(/Make another address the default first/);
  expect(screen.queryByTestId("disconnect-confirm")).toBeNull();
  expect(asked.some(([command]) => command === "disconnect_address")).toBe(
    false,
  );
});

test("tickets are searched after typing rests, and finding none says what to try", async () => {
  const { asked } = open("#/tickets", {
    list_tickets: ({ query }) =>
      query.search ? { total: 0, tickets: [] } : { total: 1, tickets: [row] },
  });
  await screen.findByTestId("ticket-row");
  const field = screen.getByTestId("search");
  await fireEvent.input(field, { target: { value: "Tee" } });
  await fireEvent.input(field, { target: { value: "Teekanne" } });
  await screen.findByText("No ticket matches");
  expect(
    asked
      .filter(([command]) => command === "list_tickets")
      .map(([, { query }]) => query.search),
  ).toEqual([null, "Teekanne"]);
  await fireEvent.click(screen.getByRole("button", { name: "Clear search" }));
  await screen.findByTestId("ticket-row");
});

test("mail is text until formatting is asked for, and then in a frame that may do nothing", async () => {
  const message = {
    id: 1,
    from: { name: "Maya", address: "maya@adatum.example" },
    to: [],
    cc: [],
    subject: "Teapot",
    received_at: 5,
    text: "plain words",
    has_html: true,
    attachments: [
      { id: 4, name: "a.pdf", media_type: "application/pdf", size: 2000 },
    ],
    imported: false,
    automatic: "bounce",
    damage: ["truncated"],
  };
  const { asked, container } = open("#/tickets/7", {
    ticket: () => ({ ticket: row, messages: [message], same_mail_in: [] }),
    message_html: () => ({
      html: "<p>rich</p>",
      remote_left_out: 2,
      cut: false,
    }),
    save_attachment: () => "/home/me/a.pdf",
  });
  await screen.findByText("plain words");
  expect(container.querySelector("iframe")).toBeNull();
  screen.getByText("Delivery report");
  screen.getByText(/arrived incomplete/);
  await fireEvent.click(screen.getByRole("button", { name: "Show formatted" }));
  const frame = await waitFor(() => {
    const found = container.querySelector("iframe");
    if (!found) throw new Error("no frame yet");
    return found;
  });
  expect(frame.getAttribute("sandbox")).toBe("");
  expect(frame.getAttribute("srcdoc")).toContain("rich");
  expect(frame.hasAttribute("src")).toBe(false);
  screen.getByText(/2 images or other items/);
  await fireEvent.click(screen.getByRole("button", { name: "Save a.pdf" }));
  await screen.findByText("Saved as /home/me/a.pdf");
  expect(asked.find(([command]) => command === "save_attachment")?.[1]).toEqual(
    { attachmentId: 4 },
  );
});

test("the ledger finds a mail by its Message-ID, angle brackets and all", async () => {
  const { asked } = open("#/addresses/1/ledger", {
    list_addresses: () => [address],
    ledger: () => [],
  });
  await screen.findByText("No mail found");
  await fireEvent.input(screen.getByLabelText("Message-ID"), {
    target: { value: "<a@b.example>" },
  });
  await waitFor(() =>
    expect(
      asked.filter(([command]) => command === "ledger").at(-1)?.[1],
    ).toEqual({
      id: 1,
      messageId: "a@b.example",
      outcome: null,
      offset: 0,
      limit: 100,
    }),
  );
});

test("a language chosen in the settings is stored and changes the window at once", async () => {
  const { asked } = open("#/settings", { save_settings: () => null });
  await fireEvent.change(await screen.findByLabelText("Language"), {
    target: { value: "de" },
  });
  await screen.findByRole("heading", { level: 1, name: "Einstellungen" });
  expect(document.documentElement.lang).toBe("de");
  expect(
    asked.find(([command]) => command === "save_settings")?.[1].settings
      .language,
  ).toBe("de");
  await live.change({ language: "en" });
});
