// What the window knows now. `App.svelte` feeds it with notices; screens read it.
import type {
  AddressView,
  AppView,
  ApiError,
  ConnectAttempt,
  ConnectionMap,
  Finding,
  HandOff,
  Notice,
  Settings,
} from "./bindings";
import { language, setLanguage, t } from "./i18n/i18n.svelte";
import * as ipc from "./ipc";
import { practising } from "./practising.svelte";
import { ask, wait, type Remote } from "./remote";

/** An import that went on past one of these shares is worth a word; each tick is not. */
const milestones = [25, 50, 75];

/** What the toast shows. */
export interface ToastContent {
  text: string;
  error: ApiError | null;
  action?: { label: string; act: () => void };
}

class Live {
  app = $state<Remote<AppView>>(wait);
  addresses = $state<Remote<AddressView[]>>(wait);
  /** The connection being made, as last told. */
  attempt = $state<ConnectAttempt | null>(null);
  /** The map of each address that was looked at, as last told. */
  maps = $state<Record<number, ConnectionMap>>({});
  /** Fixes that somebody else was asked for. */
  handOffs = $state<HandOff[]>([]);
  /** Grows when the ticket list should be read again. */
  tickets = $state(0);
  /** The clock, once a second, for countdowns and ages. */
  now = $state(Date.now());
  /** What the live region says. */
  said = $state("");
  /** What the toast shows; a failure stays until it is closed. */
  toast = $state<ToastContent | null>(null);

  get settings(): Settings | null {
    return this.app.state === "data" ? this.app.data.settings : null;
  }

  /** Reads everything again. */
  async load(): Promise<void> {
    const [app, addresses] = await Promise.all([
      ask(ipc.appView()),
      ask(ipc.listAddresses()),
    ]);
    if (app.state === "data") applySettings(app.data.settings);
    this.app = app;
    this.addresses = addresses;
    await this.loadHandOffs();
    if (app.state === "data" && app.data.sandbox) await practising.look();
  }

  /** Reads what others were asked for. What cannot be read leaves what was known. */
  async loadHandOffs(): Promise<void> {
    const got = await ask(ipc.listHandOffs());
    if (got.state === "data") this.handOffs = got.data;
  }

  /** The first thing that an address waits for, if it does. */
  handOffOf(one: AddressView): HandOff | undefined {
    return this.handOffs.find((each) => each.address_id === one.id);
  }

  address(id: number): AddressView | undefined {
    return this.addresses.state === "data"
      ? this.addresses.data.find((one) => one.id === id)
      : undefined;
  }

  apply(notice: Notice): void {
    switch (notice.kind) {
      case "address":
        return this.#put(notice.value);
      case "address_removed":
        if (this.addresses.state === "data")
          this.addresses.data = this.addresses.data.filter(
            (one) => one.id !== notice.value,
          );
        delete this.maps[notice.value];
        return;
      case "check":
        this.maps[notice.value.id] = notice.value.map;
        return;
      case "hand_offs":
        return void this.loadHandOffs();
      case "connect":
        this.attempt = notice.value;
        return;
      case "new_tickets":
        this.tickets += 1;
        return this.say(t("said.newTickets", notice.value));
      case "tickets_changed":
        this.tickets += 1;
        return;
      case "polling":
        if (this.app.state === "data") this.app.data.polling = notice.value;
    }
  }

  #put(next: AddressView): void {
    if (this.addresses.state !== "data") {
      this.addresses = { state: "data", data: [next] };
      return;
    }
    const list = this.addresses.data;
    const at = list.findIndex((one) => one.id === next.id);
    const before = list[at];
    if (before) list[at] = next;
    else list.push(next);
    if (before?.status !== next.status) void this.loadHandOffs();
    const news = heard(before, next);
    if (news) this.say(news);
  }

  /** Tells assistive technology; the same words twice are still heard, thanks to the changed space. */
  say(text: string): void {
    this.said = this.said === text ? `${text}\u00a0` : text;
  }

  /** Shows a short confirmation, with a button where there is something to do about it. */
  done(text: string, action?: ToastContent["action"]): void {
    this.toast = { text, error: null, ...(action && { action }) };
  }

  /** Disconnects and offers to undo it. */
  async disconnect(id: number): Promise<void> {
    const done = await ask(ipc.disconnectAddress(id));
    if (done.state === "error") this.toast = { text: "", error: done.error };
    if (done.state !== "data") return;
    this.done(t("disconnect.done"), {
      label: t("disconnect.undo"),
      act: () => void this.undoDisconnect(id),
    });
  }

  /** Connects again as before, without signing in. */
  async undoDisconnect(id: number): Promise<void> {
    await this.attemptTo(ipc.undoDisconnect(id), t("disconnect.undone"));
  }

  /** Does what a button asks and shows what went wrong, if anything did. */
  async attemptTo<T>(work: Promise<T>, done?: string): Promise<T | undefined> {
    const got = await ask(work);
    if (got.state === "data") {
      if (done) this.done(done);
      return got.data;
    }
    if (got.state === "error") this.toast = { text: "", error: got.error };
    return undefined;
  }

  /** Stores changed settings; the window follows at once. */
  async change(changes: Partial<Settings>): Promise<void> {
    if (this.app.state !== "data") return;
    const settings = { ...this.app.data.settings, ...changes };
    this.app.data.settings = settings;
    applySettings(settings);
    await this.attemptTo(ipc.saveSettings(settings));
  }

  /** Stores settings that the core may refuse; gives its refusal. Until it agrees, nothing changes. */
  async trySettings(changes: Partial<Settings>): Promise<ApiError | null> {
    if (this.app.state !== "data") return null;
    const settings = { ...this.app.data.settings, ...changes };
    const got = await ask(ipc.saveSettings(settings));
    if (got.state === "error") return got.error;
    this.app.data.settings = settings;
    this.done(t("saved"));
    return null;
  }
}

/** What somebody who cannot see the list should hear about a change, if anything. */
export function heard(
  before: AddressView | undefined,
  next: AddressView,
): string | null {
  const { address } = next;
  if (before && before.status !== next.status)
    return t("said.status", { address, status: t(`status.${next.status}`) });
  if (before && !before.silent && next.silent)
    return t("said.silent", { address });
  const share = (view: AddressView | undefined) =>
    view?.import?.state === "running" && view.import.totals.found > 0
      ? 100 * (1 - view.import.pending / view.import.totals.found)
      : 0;
  const passed = milestones.findLast(
    (mark) => share(before) < mark && share(next) >= mark,
  );
  return passed ? t("said.import", { address, percent: passed }) : null;
}

function applySettings(settings: Settings): void {
  setLanguage(settings.language);
  document.documentElement.dataset.theme = settings.theme;
}

export const live = new Live();

const cards = new Map<string, ReturnType<typeof ipc.explain>>();

/** The catalogue's card for a finding, asked for once per language. */
export function card(finding: Finding) {
  const key = JSON.stringify([language(), finding.code, finding.args]);
  const found =
    cards.get(key) ?? ipc.explain(finding.code, finding.args, language());
  cards.set(key, found);
  return found;
}
