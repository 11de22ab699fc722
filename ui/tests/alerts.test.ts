import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { expect, test } from "vitest";
import type { ForecastItem } from "../src/bindings";
import { live } from "../src/live.svelte";
import { address, app, card, problem } from "./core";
import { open } from "./window";

const saved = (asked: [string, any][]) =>
  asked.filter(([command]) => command === "save_settings");

test("a failure list that the core refuses is said at its field, and nothing changes", async () => {
  const { asked } = open("#/settings", {
    save_settings: () => {
      throw problem("invalid_address", { value: "nobody, @x" });
    },
  });
  const list = await screen.findByTestId("alerts-list");
  await fireEvent.input(list, { target: { value: "a@x.example; nobody, @x" } });
  await fireEvent.click(screen.getByTestId("alerts-save"));
  await screen.findByText("Not an e-mail address: nobody, @x");
  expect(list.getAttribute("aria-invalid")).toBe("true");
  expect(saved(asked)).toHaveLength(1);
  expect(live.settings?.failure_list).toBe("");
});

test("minutes outside the limits are not sent, and no alert is 0 minutes", async () => {
  const { asked } = open("#/settings", { save_settings: () => null });
  const minutes = await screen.findByTestId("alerts-minutes");
  await fireEvent.input(minutes, { target: { value: "4" } });
  await fireEvent.click(screen.getByTestId("alerts-save"));
  await screen.findByText("Enter a whole number from 5 to 1440.");
  expect(saved(asked)).toHaveLength(0);
  await fireEvent.click(screen.getByTestId("alerts-on"));
  await fireEvent.click(screen.getByTestId("alerts-save"));
  await waitFor(() =>
    expect(saved(asked)[0]?.[1].settings.alert_after_min).toBe(0),
  );
});

test("quiet hours that the core refuses are said at their field", async () => {
  open("#/settings", {
    save_settings: () => {
      throw problem("out_of_range", { value: "22:00-22:00" });
    },
  });
  await fireEvent.click(await screen.findByTestId("alerts-quiet"));
  await fireEvent.input(screen.getByTestId("alerts-to"), {
    target: { value: "22:00" },
  });
  await fireEvent.click(screen.getByTestId("alerts-save"));
  await screen.findByText(/two different times/);
  expect(screen.getByTestId("alerts-from").getAttribute("aria-invalid")).toBe(
    "true",
  );
});

test("every file of a bundle can be read before it is saved, and saving says where", async () => {
  const { asked } = open("#/bundle", {
    app_view: () => app,
    preview_bundle: ({ withNames }) => ({
      files: [
        { name: "README.txt", text: "About" },
        { name: "log.txt", text: withNames ? "Maya" : "person-1" },
      ],
    }),
    save_bundle: () => "/home/me/mailroom-support.zip",
  });
  const files = await screen.findAllByTestId("bundle-file");
  expect(screen.getByTestId("bundle-text").textContent).toBe("About");
  await fireEvent.click(files[1]!);
  expect(screen.getByTestId("bundle-text").textContent).toBe("person-1");
  await fireEvent.click(screen.getByRole("checkbox"));
  await waitFor(() =>
    expect(screen.getByTestId("bundle-text").textContent).toBe("Maya"),
  );
  await fireEvent.click(screen.getByTestId("bundle-save"));
  await screen.findByText(/^Saved as \/home\/me\/mailroom-support.zip\. /);
  expect(asked.map(([command]) => command)).toContain("save_bundle");
});

test("a bundle that cannot be written says so, and a closed dialog says nothing", async () => {
  let answer: () => unknown = () => null;
  open("#/bundle", {
    preview_bundle: () => ({ files: [{ name: "a.txt", text: "a" }] }),
    save_bundle: () => answer(),
  });
  const save = await screen.findByTestId("bundle-save");
  await fireEvent.click(save);
  await waitFor(() => expect((save as HTMLButtonElement).disabled).toBe(false));
  expect(screen.queryByText(/^Saved as/)).toBeNull();
  answer = () => {
    throw problem("cannot_write_file", { path: "/full/x.zip" });
  };
  await fireEvent.click(save);
  await screen.findByText(/Choose another place than \/full\/x.zip/);
});

const ending = (
  code: string,
  severity: ForecastItem["severity"],
  days: number,
): ForecastItem => ({
  code,
  at: Date.now() + days * 86_400_000,
  severity,
  args: { days: String(days) },
});

test("what somebody must act on stands first; the same thing on the same day is said once", async () => {
  open("#/forecast", {
    list_addresses: () => [
      address,
      { ...address, id: 2, address: "b@contoso.example" },
    ],
    forecasts: () => [
      {
        address_id: 1,
        items: [ending("renewed", "ok", 90), ending("gone", "warning", 200)],
      },
      { address_id: 2, items: [ending("renewed", "ok", 90)] },
    ],
    explain: ({ code }) => ({ ...card, code, title: code }),
  });
  const rows = await screen.findAllByTestId("ending");
  expect(rows.map((one) => one.dataset.code)).toEqual(["gone", "renewed"]);
  await waitFor(() =>
    expect(rows[1]!.textContent).toContain(
      "support@contoso.example, b@contoso.example",
    ),
  );
});

test("two servers whose certificates end on one day are two things", async () => {
  const shown = (host: string) => {
    const item = ending("forecast_certificate", "warning", 10);
    return { ...item, args: { ...item.args, host } };
  };
  open("#/forecast", {
    list_addresses: () => [address],
    forecasts: () => [
      {
        address_id: 1,
        items: [shown("a.example:993"), shown("b.example:587")],
      },
    ],
    explain: ({ code, args }) => ({ ...card, code, title: String(args.host) }),
  });
  await screen.findByText("a.example:993");
  await screen.findByText("b.example:587");
});

test("without anything that ends, a kind sentence stands in its place", async () => {
  open("#/forecast", { list_addresses: () => [address] });
  await screen.findByText("Nothing here can expire");
});
