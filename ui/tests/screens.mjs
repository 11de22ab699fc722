// Opens every screen of the demonstration in a real Chromium: for the accessibility check and for looking at it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { build, preview } from "vite";

/** Every screen and state worth a look: its name, what the demonstration is told, and where it is. */
export const screens = [
  ["welcome", "demo=first", ""],
  ["addresses", "demo=full&still", ""],
  ["offline", "demo=offline&still", ""],
  ["elsewhere", "demo=elsewhere&still", ""],
  ["error", "demo=error", ""],
  ["connect-address", "demo=full", "#/connect"],
  ["connect-registration", "demo=full", "#/connect", "next"],
  ["connect-registration-help", "demo=full", "#/connect", "registration"],
  ["connect-servers", "demo=full", "#/connect", "servers"],
  ["connect-servers-wrong", "demo=full", "#/connect", "serversWrong"],
  ["connect-servers-elsewhere", "demo=full", "#/connect", "serversElsewhere"],
  ["connect-password", "demo=full&stage=checking", "#/connect", "password"],
  ["connect-imap-failed", "demo=full&stage=failed", "#/connect", "password"],
  ["connect-imap-ready", "demo=full&stage=ready", "#/connect", "password"],
  ["connect-shared", "demo=full&stage=shared", "#/connect/practice", "shared"],
  ["connect-shared-servers", "demo=full", "#/connect", "sharedServers"],
  [
    "connect-shared-imap",
    "demo=full&stage=sharedImap",
    "#/connect",
    "sharedImap",
  ],
  [
    "connect-shared-refused",
    "demo=full&stage=sharedRefused",
    "#/connect",
    "sharedImap",
  ],
  ["reconnect-password", "demo=full", "#/addresses/9/reconnect", "typeAgain"],
  ["connect-folder", "demo=full&stage=ready", "#/connect/practice", "folder"],
  ["servers", "demo=full&still", "#/servers"],
  ["servers-tried", "demo=full&still", "#/servers", "tried"],
  ["details-imap", "demo=full&still", "#/addresses/9"],
  ["servers-edit", "demo=full&still", "#/addresses/9/servers"],
  ["servers-moved", "demo=full&still", "#/addresses/9/servers", "moved"],
  ["servers-refused", "demo=full&still", "#/addresses/9/servers", "refused"],
  ["convert", "demo=full", "#/addresses/9/convert"],
  ["convert-issuer", "demo=full", "#/addresses/9/convert", "convertIssuer"],
  [
    "convert-ready",
    "demo=full&stage=ready",
    "#/addresses/9/convert",
    "convertReady",
  ],
  ["details-folder", "demo=full&still", "#/addresses/1", "changeFolder"],
  ["after-move", "demo=full&still", "#/addresses/1", "move"],
  ["after-delete", "demo=full&still", "#/addresses/1", "delete"],
  [
    "connect-practice",
    "demo=first&stage=waiting",
    "#/connect/practice",
    "next",
  ],
  ["connect-wrong", "demo=full&stage=wrong", "#/connect/practice", "next"],
  ["connect-failed", "demo=full&stage=failed", "#/connect/practice", "next"],
  ["connect-ready", "demo=full&stage=ready", "#/connect/practice", "next"],
  ["reconnect", "demo=full&stage=ready", "#/addresses/2/reconnect"],
  ["details", "demo=full&still", "#/addresses/1"],
  ["details-rules", "demo=full&still&rules=one", "#/addresses/1/rules"],
  ["details-rules-ask", "demo=full&still&rules=ask", "#/addresses/1/rules"],
  ["details-failed", "demo=full&still", "#/addresses/2"],
  ["details-handoff", "demo=full&still", "#/addresses/7"],
  ["map-healthy", "demo=full&still", "#/addresses/1", "check"],
  ["map-proved", "demo=full&still", "#/addresses/1", "proved"],
  ["map-right", "demo=full&still&map=mailbox_right", "#/addresses/2"],
  ["map-waits", "demo=full&still&map=mailbox", "#/addresses/4"],
  ["map-blocked", "demo=full&still", "#/addresses/2", "blocked"],
  ["map-network", "demo=full&still", "#/addresses/1", "network"],
  ["prove-sending", "demo=full&still", "#/addresses/1", "prove"],
  ["ask-admin", "demo=full&still", "#/addresses/2", "ask"],
  ["ask-admin-mail", "demo=full&still", "#/addresses/2", "mail"],
  ["ask-admin-here", "demo=full&still", "#/addresses/2", "askHere"],
  [
    "ask-admin-commands",
    "demo=full&still&map=mailbox_right",
    "#/addresses/1",
    "askCommands",
  ],
  ["registration", "demo=full&still", "#/addresses/1", "ways"],
  ["registration-check", "demo=full&still", "#/addresses/1", "deviates"],
  ["registration-fine", "demo=full&still", "#/addresses/1", "fine"],
  ["registration-wrong", "demo=full&still", "#/addresses/1", "noManifest"],
  ["addresses-waiting", "demo=full&still&waiting", ""],
  ["explain", "demo=full&still", "#/explain"],
  ["explain-found", "demo=full&still", "#/explain", "paste"],
  ["details-importing", "demo=full&still", "#/addresses/3"],
  ["disconnect", "demo=full&still", "#/addresses/4", "disconnect"],
  ["ledger", "demo=full&still", "#/addresses/1/ledger"],
  ["tickets", "demo=full&still", "#/tickets"],
  ["tickets-empty", "demo=empty&still", "#/tickets"],
  ["tickets-no-match", "demo=full&still", "#/tickets", "search"],
  ["ticket", "demo=full&still", "#/tickets/23999"],
  ["ticket-formatted", "demo=full&still", "#/tickets/23995", "formatted"],
  ["practise", "demo=full&still", "#/practise"],
  ["practise-first", "demo=first", "#/practise"],
  ["practise-banner", "demo=full&still&broken", "#/addresses/1"],
  ["exercise", "demo=full&still", "#/practise/admin-approval"],
  ["exercise-broken", "demo=full&still", "#/practise/admin-approval", "broken"],
  ["exercise-mended", "demo=full&still", "#/practise/throttled", "mended"],
  ["forecast", "demo=full&still", "#/forecast"],
  ["forecast-none", "demo=full&still&calm", "#/forecast"],
  ["settings", "demo=full&still", "#/settings"],
  ["settings-alerts", "demo=full&still", "#/settings", "alerts"],
  ["bundle", "demo=full&still", "#/bundle"],
  ["bundle-saved", "demo=full&still", "#/bundle", "bundle"],
  ["shortcuts", "demo=full&still", "#/settings", "help"],
].map(([name, query, hash, then]) => ({ name, query, hash, then }));

const steps = {
  async next(page) {
    const address = page.getByTestId("connect-address");
    if (!(await address.inputValue()))
      await address.fill("service@contoso.example");
    await page.getByTestId("connect-next").click();
  },
  async servers(page) {
    await page.getByTestId("connect-imap").check();
    await steps.next(page);
    await page.getByTestId("proposal").first().waitFor();
  },
  async serversElsewhere(page) {
    await page.getByTestId("connect-imap").check();
    await page.getByTestId("connect-address").fill("post@tailwind.example");
    await page.getByTestId("connect-next").click();
    await page.getByTestId("proposal").first().check();
    await page.getByTestId("provider-hint").waitFor();
    await page.getByTestId("password").fill("practice");
    await page.getByTestId("connect-next").click();
    await page
      .getByTestId("elsewhere-yes")
      .and(page.locator("[aria-invalid]"))
      .waitFor();
  },
  async serversWrong(page) {
    await steps.servers(page);
    await page.getByTestId("signin-issuer").check();
    await page.getByTestId("inbound-host").fill("no host");
    await page.getByTestId("connect-next").click();
    await page.locator("[aria-invalid]").first().waitFor();
  },
  async password(page) {
    await steps.servers(page);
    await page.getByTestId("password").fill("practice");
    await page.getByTestId("connect-next").click();
    await page.getByTestId("password").waitFor({ state: "detached" });
  },
  async sharedServers(page) {
    await page.getByTestId("connect-address").fill("info@contoso.example");
    await page.getByTestId("connect-shared").check();
    await steps.servers(page);
    await page.getByTestId("signin-issuer").check();
  },
  async sharedImap(page) {
    await steps.sharedServers(page);
    await page.getByTestId("issuer").fill("https://login.contoso.example/");
    await page.getByTestId("issuer-client").fill("mailroom");
    await page.getByTestId("connect-next").click();
  },
  async typeAgain(page) {
    await page.getByTestId("password").waitFor();
  },
  async shared(page) {
    await page.getByTestId("connect-address").fill("info@contoso.example");
    await page.getByTestId("connect-shared").check();
    await steps.next(page);
  },
  async folder(page) {
    await steps.next(page);
    await page.getByTestId("ready-folder").click();
    await page.getByTestId("folder-tree").waitFor();
  },
  async tried(page) {
    await page.getByTestId("servers-try").click();
    await page.locator("[data-testid=servers-try]:enabled").waitFor();
  },
  async moved(page) {
    await page.getByTestId("inbound-host").fill("mail.contoso.example");
    await page.getByTestId("servers-save").click();
    await page.locator("[aria-invalid]").first().waitFor();
  },
  async refused(page) {
    await page.getByTestId("inbound-port").fill("9993");
    await page.getByTestId("outbound-port").fill("465");
    await page.getByTestId("servers-save").click();
    await page.getByTestId("anyway-outbound").waitFor();
  },
  async convertIssuer(page) {
    await page.getByTestId("convert-issuer").check();
    await page.getByTestId("connect-next").click();
    await page.locator("[aria-invalid]").first().waitFor();
  },
  async convertReady(page) {
    await page.getByTestId("convert-graph").check();
    await page.getByTestId("connect-next").click();
    await page
      .locator("[name=client]")
      .fill("11111111-2222-3333-4444-555555555555");
    await page.locator("[name=tenant]").fill("contoso.example");
    await page.getByTestId("connect-next").click();
    await page.getByTestId("connect-confirm").waitFor();
  },
  async changeFolder(page) {
    await page.getByTestId("folder-change").click();
    await page.getByTestId("folder-tree").waitFor();
    await page.getByTestId("folder-path").fill("Requets/Tech");
    await page.getByTestId("folder-save").click();
    await page.locator("[aria-invalid]").waitFor();
  },
  async move(page) {
    await page.getByTestId("after-move").check();
    await page.getByTestId("folder-tree").waitFor();
    await page.getByTestId("folder-path").fill("Requests/Orders");
    await page.getByTestId("after-save").click();
    await page.getByTestId("rehearsal").waitFor();
  },
  async delete(page) {
    await page.getByTestId("after-delete").check();
    await page.getByTestId("after-save").click();
    await page.getByTestId("after-confirm").fill("support");
    await page.getByTestId("after-save").click();
    await page.locator("[aria-invalid]").waitFor();
  },
  async disconnect(page) {
    await page.locator("header [aria-haspopup=menu]").click();
    await page.locator("[role=menuitem].danger").click();
  },
  async search(page) {
    await page.getByTestId("search").fill("zzz");
    await page.locator(".empty").waitFor();
  },
  async formatted(page) {
    await page.locator("article [aria-pressed]").first().click();
    await page.locator("iframe").waitFor();
  },
  async check(page) {
    await page.getByTestId("check-connection").click();
    await page.getByTestId("connection-map").waitFor();
  },
  async blocked(page) {
    await page.getByTestId("station-folder").click();
  },
  async network(page) {
    await steps.check(page);
    await page.getByTestId("station-network").click();
  },
  async prove(page) {
    await steps.check(page);
    await page.getByTestId("prove-sending").click();
  },
  async proved(page) {
    await steps.prove(page);
    await page.getByTestId("prove-confirm").click();
  },
  async ask(page) {
    await page.getByTestId("ask-admin").click();
    await page.getByTestId("handoff-message").waitFor();
  },
  async mail(page) {
    await steps.ask(page);
    await page.getByTestId("handoff-mail").click();
    await page.getByTestId("handoff-to").fill("admin@nordwind.example");
  },
  async askCommands(page) {
    await steps.check(page);
    await steps.ask(page);
    await page.locator("dialog[open] summary").click({ timeout: 5000 });
  },
  async askHere(page) {
    await steps.ask(page);
    await page.getByTestId("handoff-here").click();
  },
  async registration(page) {
    await steps.next(page);
    await page.getByTestId("connect-client").fill("6f3c1d52");
    await page.getByTestId("connect-tenant").fill("contoso.example");
    await page.getByTestId("registration-how").click();
    await page.getByTestId("registration-script").click();
    await page.getByTestId("script-text").waitFor();
    await page.getByTestId("registration-check").click();
  },
  async ways(page) {
    await page.getByTestId("registration-open").click();
    await page.getByTestId("registration-how").click();
    await page.getByTestId("registration-script").click();
    await page.getByTestId("script-text").waitFor();
  },
  async manifest(page, text) {
    await page.getByTestId("registration-open").click();
    await page.getByTestId("manifest").fill(text);
    await page.getByTestId("manifest-check").click();
  },
  async deviates(page) {
    const manifest = {
      appId: "11111111-2222-3333-4444-555555555555",
      displayName: "Mailroom",
      isFallbackPublicClient: false,
      web: { redirectUris: ["http://localhost"] },
    };
    await steps.manifest(page, JSON.stringify(manifest, null, 2));
    await page.getByTestId("audit").waitFor();
  },
  async fine(page) {
    await steps.manifest(page, '{ "isFallbackPublicClient": true }');
    await page.getByTestId("audit").waitFor();
  },
  async noManifest(page) {
    await steps.manifest(page, "Overview | Mailroom");
    await page.locator("[aria-invalid]").waitFor();
  },
  async paste(page) {
    await page
      .getByTestId("explain-text")
      .fill("AADSTS65001: The user or administrator has not consented");
    await page.getByTestId("explain-button").click();
    await page.getByTestId("explanation").waitFor();
  },
  async broken(page) {
    await page.getByTestId("practise-break").click();
    await page.getByTestId("ask-admin").waitFor();
  },
  async mended(page) {
    await steps.broken(page);
    await page.getByTestId("practise-pass").click();
    await page.locator("[data-mended=true]").waitFor();
  },
  async alerts(page) {
    await page.getByTestId("alerts-quiet").click();
    await page.getByTestId("alerts-list").fill("team@contoso.example; nobody");
    await page.getByTestId("alerts-save").click();
    await page.locator("[aria-invalid]").waitFor();
  },
  async bundle(page) {
    await page.getByTestId("bundle-file").nth(3).click();
    await page.getByTestId("bundle-save").click();
    await page.locator("[data-tone=good] p").waitFor();
  },
  async help(page) {
    await page.keyboard.press("F1");
  },
};

/** Builds the demonstration, opens a browser, and gives a way to visit screens. */
export async function open() {
  const built = mkdtempSync(join(tmpdir(), "mailroom-demo-"));
  await build({
    mode: "demo",
    logLevel: "error",
    build: { outDir: built, chunkSizeWarningLimit: Infinity },
  });
  const server = await preview({
    build: { outDir: built },
    preview: { port: 0, strictPort: false },
    logLevel: "error",
  });
  const base = server.resolvedUrls.local[0];
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--lang=en-GB"],
  });
  return {
    /** A page that is patient with a loaded computer. */
    async newPage(options) {
      const page = await browser.newPage(options);
      page.setDefaultTimeout(120_000);
      return page;
    },
    async visit(page, screen, lang, theme) {
      await page.goto("about:blank");
      await page.goto(
        `${base}?${screen.query}&lang=${lang}&theme=${theme}${screen.hash}`,
      );
      await page.locator("main h1").first().waitFor({ state: "attached" });
      if (screen.then) await steps[screen.then](page);
      await page.evaluate(atRest);
    },
    /** Shows the screen as it is in the other theme. */
    async switchTo(page, theme) {
      await page.evaluate(
        (theme) => (document.documentElement.dataset.theme = theme),
        theme,
      );
      await page.evaluate(atRest);
    },
    async close() {
      await browser.close();
      await server.close();
      rmSync(built, { recursive: true });
    },
  };
}

// In the page: waits until nothing has been drawn anew for a moment, and nothing moves. Clocks tick only each second.
function atRest() {
  const quiet = 80;
  const longest = 5000;
  return new Promise((done) => {
    const began = performance.now();
    let changed = began;
    const watch = new MutationObserver(() => (changed = performance.now()));
    watch.observe(document, {
      subtree: true,
      childList: true,
      attributes: true,
      characterData: true,
    });
    const look = () => {
      const now = performance.now();
      const moving = document
        .getAnimations()
        .some((one) => one.effect.getComputedTiming().iterations < Infinity);
      if (now - began < longest && (moving || now - changed < quiet))
        return setTimeout(look, 20);
      watch.disconnect();
      done();
    };
    look();
  });
}
