import { cleanup } from "@testing-library/svelte";
import { clearMocks } from "@tauri-apps/api/mocks";
import { afterEach } from "vitest";
import { setLanguage } from "../src/i18n/i18n.svelte";

// happy-dom draws nothing: it has no layout, and a dialog there opens no top layer.
HTMLDialogElement.prototype.showModal ??= function () {
  this.open = true;
};

setLanguage("en");

afterEach(async () => {
  cleanup();
  location.hash = "";
  // Screens end their subscriptions after they are gone; the mocks must outlive that.
  await new Promise((done) => setTimeout(done));
  clearMocks();
});
