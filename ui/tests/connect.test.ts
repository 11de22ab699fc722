import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { expect, test } from "vitest";
import type { ConnectAttempt, ConnectStage } from "../src/bindings";
import { here } from "../src/route.svelte";
import { address, app, finding, problem, tell } from "./core";
import { details, open, press, type } from "./window";

const client = "6f3c1d52-8a34-4b6b-9d0e-2a6a4b1f7c11";
const attempt = (stage: ConnectStage): ConnectAttempt => ({
  id: "a1",
  address: address.address,
  stage,
});
const waiting: ConnectStage = {
  kind: "waiting_for_browser",
  url: "http://localhost:1/authorize",
  expires_at: Date.now() + 300_000,
  browser_opened: true,
};
const ready: ConnectStage = {
  kind: "ready",
  identity: {
    login_name: address.address,
    display_name: "Contoso Support",
    primary_address: address.address,
    aliases: [],
    tenant_id: "t",
  },
  shared: null,
  scopes: [{ name: "Mail.ReadWrite", needed: true, granted: true }],
  folder: "Inbox",
  folder_messages: 1200,
};
const own = { ...app, has_own_registration: true };
const sandbox = {
  authority: "http://localhost:40123",
  graph_url: "http://localhost:40123/graph",
  client_id: client,
  tenant: "contoso",
  users: [{ address: address.address, password: "practice", name: "Support" }],
  scenarios: [],
};

test("first run leads through the practice tenant to the details with the import", async () => {
  const connected = { ...address, sandbox: true };
  const { asked } = open("", {
    start_sandbox: () => sandbox,
    begin_connect: () => attempt({ kind: "preparing" }),
    finish_connect: () => connected,
    address_details: () => {
      throw problem("not_found");
    },
  });
  await fireEvent.click(await screen.findByTestId("welcome-sandbox"));
  const field = await screen.findByTestId<HTMLInputElement>("connect-address");
  expect(field.value).toBe("support@contoso.example");
  await press("connect-next");
  const begun = asked.find(([command]) => command === "begin_connect")?.[1]
    .request;
  expect(begun.registration.cloud).toEqual({
    kind: "custom",
    authority: sandbox.authority,
    graph_url: sandbox.graph_url,
  });
  await tell({ kind: "connect", value: attempt(waiting) });
  expect((await screen.findByTestId("practice-password")).textContent).toBe(
    "practice",
  );
  expect(screen.getByTestId("connect-copy-link")).toBeTruthy();
  await tell({ kind: "connect", value: attempt({ kind: "checking" }) });
  await screen.findByText(/Checking the mailbox/);
  await tell({ kind: "connect", value: attempt(ready) });
  await fireEvent.click(await screen.findByTestId("connect-confirm"));
  await waitFor(() =>
    expect(
      asked.find(([command]) => command === "finish_connect")?.[1],
    ).toEqual({
      attemptId: "a1",
      choices: { brand: "Contoso", import_newest: 300, folder: null },
    }),
  );
  await waitFor(() => expect(here.route).toEqual({ screen: "address", id: 1 }));
  expect(asked.some(([command]) => command === "cancel_connect")).toBe(false);
});

test("an app registration is checked before the browser opens", async () => {
  const { asked } = open("#/connect", {
    begin_connect: () => attempt(waiting),
  });
  await screen.findByTestId("connect-address");
  await type("connect-address", "not an address");
  await press("connect-next");
  expect(
    screen.getByTestId("connect-address").getAttribute("aria-invalid"),
  ).toBe("true");
  await type("connect-address", "help@contoso.example");
  const brand = screen.getByTestId<HTMLInputElement>("connect-brand");
  expect(brand.value).toBe("Support");
  await type("connect-brand", " ");
  await press("connect-next");
  await waitFor(() => expect(document.activeElement).toBe(brand));
  screen.getByText("Enter a name of at most 80 characters.");
  await type("connect-brand", "Contoso");
  await press("connect-next");
  await type("connect-client", "my-app");
  await type("connect-tenant", "contoso.example");
  await press("connect-next");
  expect(
    screen.getByTestId("connect-client").getAttribute("aria-invalid"),
  ).toBe("true");
  expect(asked.some(([command]) => command === "begin_connect")).toBe(false);
  await type("connect-client", client);
  await press("connect-next");
  await waitFor(() =>
    expect(
      asked.find(([command]) => command === "begin_connect")?.[1].request,
    ).toMatchObject({
      address: "help@contoso.example",
      registration: {
        client_id: client,
        tenant: "contoso.example",
        cloud: { kind: "global" },
      },
    }),
  );
});

test("an address that is in use is refused beside its field, by name", async () => {
  open("#/connect", {
    app_view: () => own,
    begin_connect: () => {
      throw problem("address_in_use", {
        value: "help@contoso.example",
        by: "support@contoso.example",
      });
    },
  });
  await screen.findByTestId("connect-address");
  await type("connect-address", "help@contoso.example");
  await press("connect-next");
  await screen.findByText(
    /It belongs to the connection support@contoso.example/,
  );
  expect(
    screen.getByTestId("connect-address").getAttribute("aria-invalid"),
  ).toBe("true");
});

test("another account is refused with both names and can be tried again", async () => {
  const { asked } = open("#/connect", {
    app_view: () => own,
    begin_connect: () =>
      attempt({
        kind: "wrong_account",
        asked: address.address,
        signed_in: "alex@contoso.example",
        primary_address: "alex.w@contoso.example",
      }),
    retry_connect: () => attempt(waiting),
  });
  await screen.findByTestId("connect-address");
  await type("connect-address", address.address);
  await press("connect-next");
  const box = await screen.findByTestId("wrong-account");
  for (const name of [
    address.address,
    "alex@contoso.example",
    "alex.w@contoso.example",
  ])
    expect(box.textContent).toContain(name);
  await fireEvent.click(
    screen.getByRole("button", { name: "Use another account" }),
  );
  await waitFor(() =>
    expect(asked.find(([command]) => command === "retry_connect")?.[1]).toEqual(
      { attemptId: "a1", privateWindow: false },
    ),
  );
  await screen.findByTestId("connect-copy-link");
});

test("a failed sign-in shows the catalogue's card", async () => {
  open("#/connect", {
    app_view: () => own,
    begin_connect: () => attempt({ kind: "failed", finding }),
  });
  await screen.findByTestId("connect-address");
  await type("connect-address", address.address);
  await press("connect-next");
  await screen.findByRole("heading", { name: "Approval is missing" });
  expect(screen.getByTestId("connect-cancel")).toBeTruthy();
});

test("leaving the wizard cancels the attempt", async () => {
  const { asked } = open("#/connect", {
    app_view: () => own,
    begin_connect: () => attempt(waiting),
  });
  await screen.findByTestId("connect-address");
  await type("connect-address", address.address);
  await press("connect-next");
  await screen.findByTestId("connect-copy-link");
  here.route = { screen: "settings" };
  await waitFor(() =>
    expect(
      asked.find(([command]) => command === "cancel_connect")?.[1],
    ).toEqual({ attemptId: "a1" }),
  );
});

test("an attempt that ended meanwhile leaves the sign-in page with its reason", async () => {
  open("#/connect", {
    app_view: () => own,
    begin_connect: () => attempt({ ...waiting, expires_at: Date.now() - 1 }),
  });
  await screen.findByTestId("connect-address");
  await type("connect-address", address.address);
  await press("connect-next");
  await screen.findByText(/time for this sign-in is over/);
});

test("reconnecting asks for no import and fetches what arrived meanwhile", async () => {
  const { asked } = open("#/addresses/1/reconnect", {
    list_addresses: () => [{ ...address, status: "disconnected" }],
    list_brands: () => ["Contoso"],
    reconnect_address: () => attempt(ready),
    finish_connect: () => address,
    address_details: () => {
      throw problem("not_found");
    },
  });
  await fireEvent.click(await screen.findByTestId("connect-confirm"));
  await waitFor(() =>
    expect(
      asked.find(([command]) => command === "finish_connect")?.[1].choices,
    ).toEqual({ brand: "Contoso", import_newest: null, folder: null }),
  );
});

test("reconnecting with a password asks for nothing but the password", async () => {
  const { asked } = open("#/addresses/1/reconnect", {
    list_addresses: () => [{ ...address, provider: "imap" }],
    list_brands: () => ["Contoso"],
    address_details: () => ({
      ...details,
      server: {
        host: "imap.contoso.example",
        port: 993,
        tls: "implicit",
        auth: "password",
        login: address.address,
      },
    }),
    reconnect_password: () => attempt({ kind: "checking" }),
  });
  await screen.findByTestId("password");
  expect(screen.queryByTestId("connect-address")).toBeNull();
  await type("password", "sesame");
  await press("connect-next");
  // What was pressed is gone; what says that something is on its way has the focus.
  await waitFor(() =>
    expect(document.activeElement?.textContent).toContain(
      "imap.contoso.example",
    ),
  );
  expect(
    asked.find(([command]) => command === "reconnect_password")?.[1],
  ).toEqual({ id: 1, password: "sesame" });
});
