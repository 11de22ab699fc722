import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { expect, test, vi } from "vitest";
import type {
  AfterImportRehearsal,
  ConnectStage,
  FolderView,
} from "../src/bindings";
import FolderTree from "../src/parts/FolderTree.svelte";
import { address, app, finding, problem, tell } from "./core";
import { details, open, press, type } from "./window";

const folders: FolderView[] = [
  ["Inbox", 0, true],
  ["Requests", 0, false],
  ["Requests/Orders", 1, true],
  ["Requests/Tech support", 1, true],
  ["Sent", 0, true],
].map(([path, depth, selectable]) => ({
  id: path as string,
  name: (path as string).split("/").at(-1)!,
  path: path as string,
  depth: depth as number,
  selectable: selectable as boolean,
  messages: 3,
  special: path === "Inbox" ? "inbox" : null,
  is_read: path === "Inbox",
}));

const ready: ConnectStage = {
  kind: "ready",
  identity: { ...details.identity, display_name: "" },
  shared: null,
  scopes: [],
  folder: "INBOX",
  folder_messages: 12,
};

test("servers of somebody else are used only after a yes, and their provider's wish is shown", async () => {
  const at = (host: string, port: number) => ({
    host,
    port,
    tls: "implicit",
    login: address.address,
  });
  const { asked } = open("#/connect", {
    list_addresses: () => [{ ...address, id: 2, address: "a@b.example" }],
    propose_servers: () => [
      {
        source: "https://autoconfig.contoso.example/mail/config-v1.1.xml",
        built_in: false,
        inbound: at("imap.gmail.com", 993),
        outbound: at("smtp.gmail.com", 465),
        sign_in: "app_password",
        hint: "Gmail sign-in",
        elsewhere: ["imap.gmail.com", "smtp.gmail.com"],
        owner: "Gmail",
      },
    ],
    explain: ({ code }) => ({
      code,
      title: "Gmail does not accept this password",
      meaning: "Gmail takes an app password from mail programs.",
      severity: "failed",
      fixers: ["you"],
      fixer_labels: ["You"],
      steps: [],
      links: [
        { label: "Google", url: "https://myaccount.google.com/apppasswords" },
      ],
      commands: [],
      notes: [],
      known: true,
    }),
    open_link: () => null,
    begin_connect_password: () => ({
      id: "a1",
      address: address.address,
      stage: { kind: "checking" },
    }),
  });
  await screen.findByTestId("connect-address");
  await type("connect-address", address.address);
  await press("connect-imap");
  await press("connect-next");
  // Shown with its owner, and not chosen by itself.
  await screen.findByText("Belongs to Gmail, not to contoso.example.");
  const host = screen.getByTestId<HTMLInputElement>("inbound-host");
  expect(host.value).toBe("");
  expect(screen.queryByTestId("elsewhere")).toBeNull();

  await press("proposal");
  expect(host.value).toBe("imap.gmail.com");
  await screen.findByText("Gmail takes an app password from mail programs.");
  await fireEvent.click(screen.getByRole("button", { name: "Google" }));
  await type("password", "sesame");
  await press("connect-next");
  expect(screen.getByTestId("elsewhere-yes").getAttribute("aria-invalid")).toBe(
    "true",
  );
  const begun = () =>
    asked.some(([command]) => command === "begin_connect_password");
  expect(begun()).toBe(false);

  await press("elsewhere-yes");
  await press("connect-next");
  await waitFor(() => expect(begun()).toBe(true));
  expect(
    asked.some(
      ([command, args]) =>
        command === "open_link" && args.url.endsWith("/apppasswords"),
    ),
  ).toBe(true);
});

test("a mailbox is connected with a password that leaves the page at once, and sends through the server that was shown", async () => {
  const { asked } = open("#/connect", {
    list_addresses: () => [{ ...address, id: 2, address: "a@b.example" }],
    propose_servers: () => [
      {
        source: "https://autoconfig.contoso.example/mail/config-v1.1.xml",
        built_in: false,
        inbound: {
          host: "imap.contoso.example",
          port: 993,
          tls: "implicit",
          login: address.address,
        },
        outbound: {
          host: "smtp.contoso.example",
          port: 465,
          tls: "implicit",
          login: address.address,
        },
        sign_in: "password",
        hint: null,
        elsewhere: [],
        owner: null,
      },
    ],
    begin_connect_password: () => ({
      id: "a1",
      address: address.address,
      stage: { kind: "checking" },
    }),
    check_attempt: () => {
      throw problem("internal");
    },
    finish_connect: () => ({ ...address, provider: "imap" }),
    set_outbound: () => ({ ...address, provider: "imap" }),
    address_details: () => {
      throw problem("not_found");
    },
  });
  await screen.findByTestId("connect-address");
  await type("connect-address", address.address);
  await press("connect-imap");
  await press("connect-next");
  await waitFor(() =>
    expect(screen.getByTestId<HTMLInputElement>("inbound-host").value).toBe(
      "imap.contoso.example",
    ),
  );
  // Another server's name is nobody's proposal.
  const proposal = screen.getByTestId<HTMLInputElement>("proposal");
  expect(proposal.checked).toBe(true);
  await type("inbound-host", "mail.contoso.example");
  expect(proposal.checked).toBe(false);
  await type("inbound-host", "imap.contoso.example");
  expect(proposal.checked).toBe(true);
  // Without a password nothing is asked of the server.
  await press("connect-next");
  expect(
    screen.getByTestId("password").getAttribute("aria-invalid"),
  ).toBeTruthy();
  await type("password", "sesame");
  await type("connect-from", "sales@contoso.example; info@contoso.example");
  await press("connect-next");
  await waitFor(() =>
    expect(
      asked.find(([command]) => command === "begin_connect_password")?.[1],
    ).toMatchObject({
      password: "sesame",
      input: {
        server: "imap.contoso.example:993",
        tls: "implicit",
        login: address.address,
        issuer: null,
      },
    }),
  );
  expect(document.body.innerHTML).not.toContain("sesame");
  // The server refuses: the settings are there again, the password is not.
  await tell({
    kind: "connect",
    value: {
      id: "a1",
      address: address.address,
      stage: { kind: "failed", finding },
    },
  });
  await fireEvent.click(await screen.findByTestId("connect-change"));
  const again = await screen.findByTestId<HTMLInputElement>("password");
  expect(again.value).toBe("");
  await type("password", "open sesame");
  await press("connect-next");
  await waitFor(() =>
    expect(
      asked.filter(([command]) => command === "begin_connect_password"),
    ).toHaveLength(2),
  );
  await tell({
    kind: "connect",
    value: { id: "a1", address: address.address, stage: ready },
  });
  await screen.findByText("Inbox, 12 mails");
  await fireEvent.click(await screen.findByTestId("connect-confirm"));
  await waitFor(() =>
    expect(asked.find(([command]) => command === "set_outbound")?.[1]).toEqual({
      id: address.id,
      input: {
        server: "smtp.contoso.example:465",
        tls: "implicit",
        login: null,
        auth: null,
        from: ["sales@contoso.example", "info@contoso.example"],
      },
      password: "open sesame",
    }),
  );
});

test("the server for sending may have a password of its own", async () => {
  const { asked } = open("#/connect", {
    list_addresses: () => [{ ...address, id: 2, address: "a@b.example" }],
    propose_servers: () => [],
    begin_connect_password: () => ({
      id: "a1",
      address: address.address,
      stage: { kind: "checking" },
    }),
    finish_connect: () => ({ ...address, provider: "imap" }),
    set_outbound: () => ({ ...address, provider: "imap" }),
    address_details: () => details,
  });
  await screen.findByTestId("connect-address");
  await type("connect-address", address.address);
  await press("connect-imap");
  await press("connect-next");
  await screen.findByTestId("inbound-host");
  await type("inbound-host", "imap.contoso.example");
  await type("password", "sesame");
  await type("outbound-host", "relay.fabrikam.example");
  await type("outbound-password", "of its own");
  await press("connect-next");
  await waitFor(() =>
    expect(
      asked.find(([command]) => command === "begin_connect_password")?.[1],
    ).toMatchObject({ password: "sesame" }),
  );
  await tell({
    kind: "connect",
    value: { id: "a1", address: address.address, stage: ready },
  });
  await press("connect-confirm");
  await waitFor(() =>
    expect(
      asked.find(([command]) => command === "set_outbound")?.[1],
    ).toMatchObject({
      input: { server: "relay.fabrikam.example:587" },
      password: "of its own",
    }),
  );
});

test("a shared mailbox is asked for as one, by Graph", async () => {
  const { asked } = open("#/connect", {
    list_addresses: () => [{ ...address, id: 2, address: "a@b.example" }],
    app_view: () => ({ ...app, has_own_registration: true }),
    begin_connect: () => ({
      id: "a1",
      address: "info@contoso.example",
      stage: { kind: "preparing" },
    }),
  });
  await screen.findByTestId("connect-address");
  await type("connect-address", "info@contoso.example");
  await press("connect-shared");
  await press("connect-next");
  await waitFor(() =>
    expect(
      asked.find(([command]) => command === "begin_connect")?.[1].request,
    ).toMatchObject({ address: "info@contoso.example", opens: "shared" }),
  );
});

test("a shared mailbox by IMAP is opened by its own name and sends under the name of whoever signed in", async () => {
  const info = "info@contoso.example";
  const stage = (kind: ConnectStage): object => ({
    id: "a1",
    address: info,
    stage: kind,
  });
  const { asked } = open("#/connect", {
    list_addresses: () => [{ ...address, id: 2, address: "a@b.example" }],
    propose_servers: () => [
      {
        source: "autoconfig.contoso.example",
        built_in: false,
        inbound: {
          host: "imap.contoso.example",
          port: 993,
          tls: "implicit",
          login: info,
        },
        outbound: {
          host: "smtp.contoso.example",
          port: 587,
          tls: "start_tls",
          login: info,
        },
        sign_in: "password",
        hint: null,
        elsewhere: [],
        owner: null,
      },
    ],
    begin_connect_imap: () => stage({ kind: "preparing" }),
    finish_connect: () => ({ ...address, id: 7, address: info, mailbox: info }),
    set_outbound: () => ({ ...address, id: 7, address: info }),
    address_details: () => details,
  });
  await screen.findByTestId("connect-address");
  await type("connect-address", info);
  await press("connect-shared");
  await press("connect-imap");
  await press("connect-next");
  await screen.findByTestId("shared-sign-in");
  // A password would be the mailbox's own, so none can be typed.
  expect(screen.queryByTestId("signin-password")).toBeNull();
  expect(screen.queryByTestId("password")).toBeNull();
  await waitFor(() =>
    expect(screen.getByTestId<HTMLInputElement>("signin-issuer").checked).toBe(
      true,
    ),
  );
  await type("issuer", "https://id.contoso.example");
  await type("issuer-client", "mailroom");
  await press("connect-next");
  const begun = () =>
    asked.find(([command]) => command === "begin_connect_imap")?.[1];
  await waitFor(() => expect(begun()).toBeTruthy());
  expect(begun()).toMatchObject({
    request: { address: info, opens: "shared" },
    input: { login: info, issuer: { issuer: "https://id.contoso.example" } },
  });
  await tell({
    kind: "connect",
    value: {
      id: "a1",
      address: info,
      stage: {
        ...ready,
        identity: {
          ...details.identity,
          login_name: "kim@contoso.example",
          display_name: "",
        },
        shared: {
          address: info,
          display_name: null,
          primary_address: null,
          aliases: [],
          looked_up: true,
        },
      } as ConnectStage,
    },
  });
  await press("connect-confirm");
  await waitFor(() =>
    expect(
      asked.find(([command]) => command === "set_outbound")?.[1].input,
    ).toMatchObject({ login: "kim@contoso.example" }),
  );
});

test("the folder tree is walked with arrows, Home, End and letters, and Enter chooses", async () => {
  const onpick = vi.fn();
  render(FolderTree, { folders, chosen: "", inbox: true, onpick });
  const focused = () => document.activeElement?.textContent ?? "";
  const key = (name: string) =>
    fireEvent.keyDown(document.activeElement!, { key: name });
  screen.getAllByRole("treeitem")[0]!.focus();
  await key("ArrowDown");
  expect(focused()).toContain("Requests");
  // A folder that holds only folders folds; it cannot be chosen.
  await key("ArrowLeft");
  expect(screen.queryByText("Orders")).toBeNull();
  await key("ArrowRight");
  await key("ArrowRight");
  expect(focused()).toContain("Orders");
  await key("t");
  expect(focused()).toContain("Tech support");
  await key("Enter");
  expect(onpick).toHaveBeenLastCalledWith("Requests/Tech support");
  await key("End");
  expect(focused()).toContain("Sent");
  await key("Home");
  await key("Enter");
  expect(onpick).toHaveBeenLastCalledWith("");
});

test("mail is deleted only after a look and the address typed out", async () => {
  const rehearsal: AfterImportRehearsal = {
    choice: { kind: "delete" },
    goes_to: "Deleted",
    found: 2,
    taken: 1,
    stay: 1,
    imported_before: 5,
    mails: [],
  };
  const { asked } = open("#/addresses/1", {
    list_addresses: () => [address],
    address_details: () => details,
    rehearse_after_import: () => rehearsal,
    set_after_import: () => null,
  });
  await fireEvent.click(await screen.findByTestId("after-delete"));
  const chosen = () =>
    asked.filter(([command]) => command === "set_after_import");
  await press("after-save");
  const shown = await screen.findByTestId("rehearsal");
  await waitFor(() => expect(document.activeElement).toBe(shown));
  await press("after-save");
  expect(chosen()).toHaveLength(0);
  await type("after-confirm", "Support@contoso.example");
  await press("after-save");
  await waitFor(() => expect(chosen()).toHaveLength(1));
  expect(chosen()[0]?.[1]).toEqual({
    id: 1,
    choice: { kind: "delete" },
    confirmation: "Support@contoso.example",
    alsoImported: false,
  });
  // The buttons are gone; the choice that is in force has the focus.
  await waitFor(() =>
    expect(document.activeElement?.getAttribute("type")).toBe("radio"),
  );
});

test("a path that is no folder is said at the field, with the nearest one", async () => {
  open("#/addresses/1", {
    list_addresses: () => [address],
    address_details: () => details,
    folders: () => folders,
    set_folder: () => {
      throw problem("folder_not_found", {
        value: "Requets",
        nearest: "Requests/Orders",
      });
    },
  });
  await fireEvent.click(await screen.findByTestId("folder-change"));
  await screen.findByTestId("folder-tree");
  await type("folder-path", "Requets");
  await press("folder-save");
  await waitFor(() =>
    expect(screen.getByTestId("folder-path").getAttribute("aria-invalid")).toBe(
      "true",
    ),
  );
  expect(document.body.textContent).toContain("Requests/Orders");
  expect(document.activeElement).toBe(screen.getByTestId("folder-path"));
});
