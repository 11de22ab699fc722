// axe-core over every screen, in three languages and two themes: no complaint, and no sideways scrolling
// in a window of 640 by 480 at 200 %; and a hostile mail stays behind its fences.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { open, screens } from "./screens.mjs";

const axe = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);
const only = process.argv.slice(2);
const { newPage, visit, switchTo, close } = await open();
let visited = 0;
let bad = 0;
const outside = [];

function complain(place, text) {
  bad += 1;
  console.log(`${place}: ${text}`);
}

// The demonstration's mail tries to run scripts, to send a form and to load things.
async function fences(page, place) {
  const frame = page.locator("iframe").first();
  const html = await frame.getAttribute("srcdoc");
  const found = html.match(
    /<script|onclick|onerror|href=|<form|<input|<iframe/g,
  );
  if (found) complain(place, `the mail kept ${found.join(" ")}`);
  if ((await frame.getAttribute("sandbox")) !== "")
    complain(place, "the frame may do something");
  if (await page.evaluate(() => globalThis.broken))
    complain(place, "the mail broke out");
  if (outside.length) complain(place, `the mail loaded ${outside.splice(0)}`);
}

// What depends on the colours; all else is the same in the other theme, which is only switched to.
const colours = ["color-contrast", "link-in-text-block"];
const everything = [
  "wcag2a",
  "wcag2aa",
  "wcag21a",
  "wcag21aa",
  "wcag22aa",
  "best-practice",
];

async function judge(page, place, runOnly) {
  const { violations } = await page.evaluate(
    (runOnly) => globalThis.axe.run(document, { runOnly }),
    runOnly,
  );
  visited += 1;
  for (const { id, impact, help, nodes } of violations)
    complain(
      place,
      `${impact} ${id}: ${help}\n    ${nodes.map((node) => node.html.slice(0, 160)).join("\n    ")}`,
    );
}

async function narrow(page, place) {
  await page.setViewportSize({ width: 320, height: 240 });
  const over = await page.evaluate(
    () =>
      new Promise((done) =>
        requestAnimationFrame(() =>
          requestAnimationFrame(() =>
            done(document.documentElement.scrollWidth - innerWidth),
          ),
        ),
      ),
  );
  if (over > 0) complain(place, `scrolls ${over} px sideways at 320 px`);
  await page.setViewportSize({ width: 1080, height: 760 });
}

async function look(page, screen, lang) {
  const place = `${screen.name} ${lang}`;
  await visit(page, screen, lang, "light");
  await page.evaluate(axe);
  await judge(page, `${place} light`, everything);
  if (screen.name === "ticket-formatted") await fences(page, place);
  await narrow(page, place);
  await switchTo(page, "dark");
  await judge(page, `${place} dark`, colours);
}

const todo = screens
  .filter((screen) => !only.length || only.includes(screen.name))
  .flatMap((screen) => ["en", "de", "ja"].map((lang) => ({ screen, lang })));
// A page is busy in its own process: one for each core.
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    const page = await newPage({
      viewport: { width: 1080, height: 760 },
      reducedMotion: "reduce",
    });
    page.on("request", (request) => {
      if (
        !/^(data:|about:|http:\/\/(127\.0\.0\.1|localhost):)/.test(
          request.url(),
        )
      )
        outside.push(request.url());
    });
    for (let next = todo.shift(); next; next = todo.shift())
      await look(page, next.screen, next.lang);
  }),
);
await close();
console.log(`${visited} screens visited, ${bad} complaints`);
process.exitCode = bad ? 1 : 0;
