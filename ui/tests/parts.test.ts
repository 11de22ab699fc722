import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { createRawSnippet } from "svelte";
import { expect, test, vi } from "vitest";
import type { Status } from "../src/bindings";
import ErrorBox from "../src/parts/ErrorBox.svelte";
import FindingCard from "../src/parts/FindingCard.svelte";
import { keepFocus } from "../src/parts/focus";
import { frameDocument } from "../src/parts/MailFrame.svelte";
import Menu from "../src/parts/Menu.svelte";
import Sparkline from "../src/parts/Sparkline.svelte";
import { looks, urgency } from "../src/parts/status";
import StatusBadge from "../src/parts/StatusBadge.svelte";
import { debounced } from "../src/parts/typing";
import VirtualList from "../src/parts/VirtualList.svelte";
import { card, finding, problem } from "./core";

test("every status differs in shape and word, not in colour alone", () => {
  const seen = new Set<string>();
  for (const status of Object.keys(looks) as Status[]) {
    const { container, unmount } = render(StatusBadge, { status });
    const shape = container.querySelector("svg")?.innerHTML ?? "";
    seen.add(shape);
    expect(container.textContent?.trim()).not.toBe("");
    unmount();
  }
  expect(seen.size).toBe(Object.keys(looks).length);
});

test("failed is more urgent than attention, and both than verified", () => {
  expect(urgency("failed")).toBeGreaterThan(urgency("attention"));
  expect(urgency("attention")).toBeGreaterThan(urgency("verified"));
});

test("the graph says its numbers in words", () => {
  render(Sparkline, { hours: [0, 4, 2] });
  expect(screen.getByRole("img").getAttribute("aria-label")).toMatch(/6.*4/);
});

test("an error says what to do, and the raw message is one click away", () => {
  render(ErrorBox, { error: problem("disk_full") });
  const box = screen.getByRole("alert");
  expect(box.textContent).toContain("Free some space");
  expect(box.querySelector("details pre")?.textContent).toBe("why");
});

test("a finding names who can fix it, the steps, and opens only the catalogue's links", async () => {
  const onlink = vi.fn();
  render(FindingCard, { finding, card: Promise.resolve(card), onlink });
  expect(await screen.findByText(/Tenant admin/)).toBeTruthy();
  expect(
    screen.getAllByRole("listitem").map((item) => item.textContent),
  ).toEqual(card.steps);
  await fireEvent.click(screen.getByRole("button", { name: "Consent page" }));
  expect(onlink).toHaveBeenCalledExactlyOnceWith(
    "https://login.example/consent",
  );
  expect(document.querySelector("details")?.textContent).toContain("request-1");
  expect(document.querySelector("details")?.textContent).toContain(
    "2026-01-02 03:04:05 UTC",
  );
});

test("a finding without a card still shows its code and the server's answer", async () => {
  render(FindingCard, {
    finding,
    card: Promise.reject(problem("internal")),
    onlink: vi.fn(),
  });
  expect(
    await screen.findByRole("heading", { name: "AADSTS65001" }),
  ).toBeTruthy();
});

test("a menu moves with the arrows and gives focus back on Escape", async () => {
  const icon = () => {};
  const actions = ["One", "Two"].map((label) => ({
    label,
    icon: icon as never,
    act: vi.fn(),
  }));
  render(Menu, { label: "Actions", actions });
  const button = screen.getByRole("button", { name: "Actions" });
  await fireEvent.click(button);
  const items = screen.getAllByRole("menuitem");
  expect(document.activeElement).toBe(items[0]);
  await fireEvent.keyDown(items[0]!, { key: "ArrowDown" });
  expect(document.activeElement).toBe(items[1]);
  await fireEvent.keyDown(items[1]!, { key: "Escape" });
  expect(screen.queryByRole("menu")).toBeNull();
  expect(document.activeElement).toBe(button);
});

test("a list of 50,000 keeps few rows in the document and asks for the ones it shows", async () => {
  const onrange = vi.fn();
  const row = createRawSnippet(() => ({ render: () => "<span>row</span>" }));
  const { container } = render(VirtualList, {
    total: 50_000,
    rowRem: 4.5,
    label: "Tickets",
    at: () => undefined,
    onrange,
    row: row as never,
  });
  expect(container.querySelectorAll("li").length).toBeLessThan(60);
  expect(onrange.mock.lastCall?.[0]).toBe(0);
  const box = container.querySelector<HTMLElement>(".scroll")!;
  box.scrollTop = 40_000 * 72;
  await fireEvent.scroll(box);
  expect(onrange.mock.lastCall?.[0]).toBeGreaterThan(39_000);
  const first = container.querySelector("li")!;
  expect(first.getAttribute("aria-setsize")).toBe("50000");
  expect(Number(first.getAttribute("aria-posinset"))).toBeGreaterThan(39_000);
  expect(container.querySelectorAll("li").length).toBeLessThan(60);
});

test("nothing is searched inside an unfinished word of an input method", () => {
  vi.useFakeTimers();
  const act = vi.fn();
  const typed = debounced(act);
  typed(new InputEvent("input", { isComposing: true }));
  vi.advanceTimersByTime(1000);
  expect(act).not.toHaveBeenCalled();
  typed(new Event("compositionend"));
  vi.advanceTimersByTime(1000);
  expect(act).toHaveBeenCalledOnce();
  vi.useRealTimers();
});

// What is taken out of a mail is checked in a real browser (a11y.mjs): DOMPurify does nothing in a document it does
// not trust, and happy-dom's is one.
test("formatted mail comes with a policy that loads nothing", () => {
  const made = frameDocument("<p>Hi</p>");
  expect(made).toContain("default-src 'none'");
  expect(made.indexOf("Content-Security-Policy")).toBeLessThan(
    made.indexOf("Hi"),
  );
});

test("a button that is switched off while it works has the focus again afterwards", async () => {
  document.body.innerHTML = "<main><button>Save</button></main>";
  const button = document.querySelector("button")!;
  const end = keepFocus(document.querySelector("main")!);
  button.focus();
  button.blur();
  button.disabled = true;
  expect(document.activeElement).toBe(document.body);
  button.disabled = false;
  await waitFor(() => expect(document.activeElement).toBe(button));
  end();
  document.body.innerHTML = "";
});
