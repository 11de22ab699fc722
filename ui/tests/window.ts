// The whole window on a core for tests, and what a person does in it.
import { fireEvent, render, screen } from "@testing-library/svelte";
import App from "../src/App.svelte";
import type { AddressDetails } from "../src/bindings";
import { live } from "../src/live.svelte";
import { here, parse } from "../src/route.svelte";
import { address, start, type Answers } from "./core";

/** Opens the window at a place; gives what was asked of the core. */
export function open(hash: string, answers: Answers) {
  const asked = start(answers);
  live.addresses = { state: "wait" };
  live.app = { state: "wait" };
  live.attempt = null;
  live.maps = {};
  live.handOffs = [];
  live.toast = null;
  live.said = "";
  here.route = parse(hash);
  return { asked, ...render(App) };
}

export const type = (id: string, value: string) =>
  fireEvent.input(screen.getByTestId(id), { target: { value } });
export const press = (id: string) => fireEvent.click(screen.getByTestId(id));

/** The details of an address at which all is well. */
export const details: AddressDetails = {
  address,
  identity: {
    login_name: address.address,
    display_name: "Support",
    primary_address: address.address,
    aliases: [],
    tenant_id: "t",
  },
  scopes: [],
  folder: "Inbox",
  folder_path: null,
  next_folder: null,
  after_import: { kind: "read" },
  server: null,
  outbound: null,
  poll_interval_s: 60,
  category: "Mailroom",
  registration: {
    authority: "https://login.example",
    tenant: "t",
    client_id: "c",
    graph_url: "https://graph.example",
  },
  totals: { found: 0, imported: 0, duplicate: 0, skipped: 0, failed: 0 },
  pending_marks: 0,
  events: [],
};
