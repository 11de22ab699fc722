import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { expect, test } from "vitest";
import type { Access, Card } from "../src/bindings";
import { tick } from "svelte";
import ShowRegistration from "../src/parts/registration/ShowRegistration.svelte";
import Help from "../src/parts/registration/Help.svelte";
import { card, problem, start, type Answers } from "./core";

const client = "6f3c1d52-8a34-4b6b-9d0e-2a6a4b1f7c11";
const wanted = {
  access: "graph" as Access,
  name: "Mailroom",
  tenant: "contoso.example",
  clientId: client,
};
const owner: Card = {
  ...card,
  code: "registration_public_client_off",
  title: "Public client flows are off",
  steps: ["Set it to Yes."],
};
const audit = (client_id: string, cards: Card[]) => [
  {
    name: "Mailroom",
    client_id,
    deviations: cards.map(({ code }) => ({ code, args: {} })),
    expiries: [],
  },
  cards,
];

async function check(answers: Answers) {
  const asked = start({ registration_script: () => "script", ...answers });
  render(Help, { wanted, exists: true });
  await fireEvent.input(screen.getByTestId("manifest"), {
    target: { value: '{"appId":"x"}' },
  });
  await fireEvent.click(screen.getByTestId("manifest-check"));
  return asked;
}

test("each deviation of a pasted manifest is shown with its fix", async () => {
  const asked = await check({
    audit_registration: () => audit(client.toUpperCase(), [owner]),
  });
  const found = await screen.findByTestId("audit");
  await screen.findByText(owner.title);
  expect(found.textContent).toContain("Set it to Yes.");
  expect(found.textContent).not.toContain(client);
  await waitFor(() => expect(document.activeElement).toBe(found));
  expect(asked.find(([name]) => name === "audit_registration")?.[1]).toEqual({
    manifest: '{"appId":"x"}',
    access: "graph",
    tenant: "contoso.example",
    language: "en",
  });
});

test("a manifest of another registration is said to be one", async () => {
  const other = "00000000-1111-2222-3333-444444444444";
  await check({ audit_registration: () => audit(other, []) });
  const found = await screen.findByTestId("audit");
  expect(found.textContent).toContain(other);
  expect(found.textContent).toContain("Nothing deviates");
});

test("what is no manifest is said at the field and what was pasted stays", async () => {
  await check({
    audit_registration: () => {
      throw problem("invalid_manifest");
    },
  });
  const field = screen.getByTestId<HTMLTextAreaElement>("manifest");
  await waitFor(() => expect(field.getAttribute("aria-invalid")).toBe("true"));
  expect(field.value).toBe('{"appId":"x"}');
  expect(screen.queryByTestId("audit")).toBeNull();
});

test("the script is for the shell that was chosen and is saved as such", async () => {
  const asked = start({
    registration_script: ({ runsIn }) => `script for ${runsIn}`,
    save_registration_script: () => "/home/alex/mailroom-registration.sh",
  });
  render(Help, { wanted });
  await screen.findByText("script for powershell");
  await fireEvent.click(screen.getByTestId("script-az"));
  await screen.findByText("script for az");
  await fireEvent.click(screen.getByTestId("script-save"));
  expect(asked.at(-1)).toEqual([
    "save_registration_script",
    { runsIn: "az", ...wanted },
  ]);
});

test("the way to the registration stands on what its owner can mend, and nowhere else", async () => {
  start({});
  const onclick = () => {};
  const mine = { ...owner, fixers: ["app_owner" as const] };
  const { unmount } = render(ShowRegistration, {
    words: Promise.resolve(mine),
    onclick,
  });
  await screen.findByTestId("finding-registration");
  unmount();
  const words = Promise.resolve(card);
  render(ShowRegistration, { words, onclick });
  await words;
  await tick();
  expect(screen.queryByTestId("finding-registration")).toBeNull();
});
