import { isAtMicrosoft } from "../src/screens/connect/form";
import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { expect, test } from "vitest";
import App from "../src/App.svelte";
import type { AddressDetails, ServerSaved } from "../src/bindings";
import { live } from "../src/live.svelte";
import { here, href, parse } from "../src/route.svelte";
import {
  address,
  app,
  finding,
  problem,
  start,
  tell,
  type Answers,
} from "./core";

const details: AddressDetails = {
  address: { ...address, provider: "imap" },
  identity: {
    login_name: "support",
    display_name: "",
    primary_address: null,
    aliases: [],
    tenant_id: "",
  },
  scopes: [],
  folder: "INBOX",
  folder_path: null,
  next_folder: null,
  after_import: { kind: "read" },
  server: {
    host: "imap.contoso.example",
    port: 993,
    tls: "implicit",
    login: "support",
    auth: "password",
  },
  outbound: {
    host: "smtp.contoso.example",
    port: 587,
    tls: "start_tls",
    login: "support",
    auth: "password",
    from: ["sales@contoso.example"],
  },
  poll_interval_s: 60,
  category: "Mailroom",
  registration: {
    authority: "imaps://imap.contoso.example:993/",
    tenant: "",
    client_id: "",
    graph_url: "imaps://imap.contoso.example:993/",
  },
  totals: { found: 0, imported: 0, duplicate: 0, skipped: 0, failed: 0 },
  pending_marks: 0,
  events: [],
};

function open(hash: string, answers: Answers) {
  const asked = start({
    list_addresses: () => [details.address],
    address_details: () => details,
    servers: () => [],
    explain: () => {
      throw problem("internal");
    },
    ...answers,
  });
  live.addresses = { state: "wait" };
  live.app = { state: "wait" };
  live.attempt = null;
  live.toast = null;
  here.route = parse(hash);
  render(App);
  return asked;
}
const type = (id: string, value: string) =>
  fireEvent.input(screen.getByTestId(id), { target: { value } });
const press = (id: string) => fireEvent.click(screen.getByTestId(id));
const at = (direction: "inbound" | "outbound", more: Partial<ServerSaved>) => ({
  direction,
  stored: true,
  fresh_start: false,
  finding: null,
  ...more,
});

test("only what was changed is saved, and nothing where nothing was", async () => {
  const asked = open("#/addresses/1/servers", {
    save_servers: () => [at("outbound", {})],
  });
  const saves = () => asked.filter(([command]) => command === "save_servers");
  await screen.findByTestId("servers-save");
  await press("servers-save");
  expect(saves()).toHaveLength(0);
  await type("outbound-port", "465");
  await press("servers-save");
  await waitFor(() => expect(saves()).toHaveLength(1));
  expect(saves()[0]?.[1]).toEqual({
    id: 1,
    input: {
      inbound: null,
      outbound: {
        server: "smtp.contoso.example:465",
        tls: "start_tls",
        login: "support",
        auth: null,
        from: ["sales@contoso.example"],
      },
      anyway: false,
    },
    password: null,
    outboundPassword: null,
  });
  // All is kept: back to the address.
  await waitFor(() => expect(location.hash).toBe("#/addresses/1"));
});

test("another server says what it means, and needs its password", async () => {
  const asked = open("#/addresses/1/servers", {
    save_servers: () => [at("inbound", { fresh_start: true })],
  });
  const saves = () => asked.filter(([command]) => command === "save_servers");
  await screen.findByTestId("inbound-host");
  expect(document.body.textContent).not.toContain("another place");
  await type("inbound-host", "IMAP.contoso.example");
  expect(document.body.textContent).not.toContain("another place");
  await type("inbound-host", "mail.contoso.example");
  expect(document.body.textContent).toContain("another place");
  await press("servers-save");
  expect(saves()).toHaveLength(0);
  await waitFor(() =>
    expect(document.activeElement).toBe(screen.getByTestId("inbound-password")),
  );
  await type("inbound-password", "sesame");
  await press("servers-save");
  await waitFor(() => expect(saves()).toHaveLength(1));
  expect(saves()[0]?.[1]).toMatchObject({
    input: {
      inbound: {
        server: "mail.contoso.example:993",
        tls: "implicit",
        login: "support",
      },
      outbound: null,
    },
    password: "sesame",
  });
});

test("each server has its own result, and the one that failed can be kept all the same", async () => {
  let round = 0;
  const asked = open("#/addresses/1/servers", {
    save_servers: () =>
      round++ === 0
        ? [at("inbound", {}), at("outbound", { stored: false, finding })]
        : [at("outbound", { finding })],
  });
  await screen.findByTestId("inbound-port");
  await type("inbound-port", "9993");
  await type("outbound-host", "mail.contoso.example");
  await type("outbound-password", "sesame");
  await press("servers-save");
  const refused = await screen.findByTestId("saved-outbound");
  expect(refused.dataset.saved).toBe("no");
  expect(screen.getByTestId("saved-inbound").dataset.saved).toBe("yes");
  await waitFor(() => expect(document.activeElement).toBe(refused));
  await fireEvent.click(await screen.findByTestId("anyway-outbound"));
  await waitFor(() =>
    expect(screen.getByTestId("saved-outbound").dataset.saved).toBe("warned"),
  );
  const second = asked.filter(([command]) => command === "save_servers")[1];
  expect(second?.[1]).toMatchObject({
    input: {
      inbound: null,
      outbound: { server: "mail.contoso.example:587" },
      anyway: true,
    },
    outboundPassword: "sesame",
  });
  expect(screen.getByTestId<HTMLInputElement>("outbound-password").value).toBe(
    "",
  );
});

test("a password that the core asks for is said at its field", async () => {
  open("#/addresses/1/servers", {
    save_servers: () => {
      throw problem("password_needed", {
        value: "support",
        host: "mail.contoso.example",
      });
    },
  });
  await screen.findByTestId("outbound-host");
  await type("outbound-host", "mail.contoso.example");
  await press("servers-save");
  await waitFor(() =>
    expect(
      screen.getByTestId("outbound-password").getAttribute("aria-invalid"),
    ).toBe("true"),
  );
  expect(
    screen.getByTestId("inbound-password").getAttribute("aria-invalid"),
  ).toBeNull();
});

test("a password gives way to the browser, and says beforehand what that does", async () => {
  const asked = open("#/addresses/1", {
    app_view: () => ({ ...app, has_own_registration: true }),
    list_brands: () => ["Contoso"],
    convert_to_oauth: () => ({
      id: "a1",
      address: address.address,
      stage: { kind: "preparing" },
    }),
    finish_connect: () => details.address,
  });
  const link = await screen.findByTestId("convert-open");
  expect(link.getAttribute("href")).toBe(href({ screen: "convert", id: 1 }));
  here.route = { screen: "convert", id: 1 };
  await screen.findByTestId("convert-graph");
  expect(document.body.textContent).toContain("the password stays in use");
  expect(asked.some(([command]) => command === "convert_to_oauth")).toBe(false);
  // An issuer is named before anything happens.
  await press("convert-issuer");
  await press("connect-next");
  expect(screen.getByTestId("issuer").getAttribute("aria-invalid")).toBe(
    "true",
  );
  await press("convert-graph");
  await press("connect-next");
  await waitFor(() =>
    expect(
      asked.find(([command]) => command === "convert_to_oauth")?.[1],
    ).toMatchObject({ id: 1, to: { kind: "graph", by: null } }),
  );
  await tell({
    kind: "connect",
    value: {
      id: "a1",
      address: address.address,
      stage: {
        kind: "ready",
        identity: details.identity,
        shared: null,
        scopes: [],
        folder: "Inbox",
        folder_messages: 3,
      },
    },
  });
  await fireEvent.click(await screen.findByTestId("connect-confirm"));
  await waitFor(() =>
    expect(
      asked.find(([command]) => command === "finish_connect")?.[1],
    ).toMatchObject({ choices: { import_newest: null } }),
  );
  expect(asked.some(([command]) => command === "set_outbound")).toBe(false);
});

test("an import that is under way stands in the way, by name", async () => {
  open("#/addresses/1/convert", {
    app_view: () => ({ ...app, has_own_registration: true }),
    list_brands: () => [],
    convert_to_oauth: () => {
      throw problem("import_running", { value: address.address });
    },
  });
  await screen.findByTestId("convert-graph");
  await press("convert-graph");
  await press("connect-next");
  await waitFor(() =>
    expect(document.body.textContent).toContain("An import is under way"),
  );
  expect(screen.getByTestId("convert-graph")).toBeTruthy();
});

test("Microsoft's sign-in by IMAP is offered at Microsoft's servers only", () => {
  for (const host of ["outlook.office365.com", "Partner.Outlook.cn"])
    expect(isAtMicrosoft(host), host).toBe(true);
  for (const host of ["mail.contoso.example", "notoutlook.com", ""])
    expect(isAtMicrosoft(host), host).toBe(false);
});
