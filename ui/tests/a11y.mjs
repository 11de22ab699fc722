// axe-core over every screen, in three languages and two themes: nothing serious or critical, and no sideways scrolling
// in a window of 640 by 480 at 200 %; and a hostile mail stays behind its fences.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { open, screens } from "./screens.mjs";

const axe = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);
const only = process.argv.slice(2);
const { browser, visit, close } = await open();
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

for (const lang of ["en", "de", "ja"]) {
  for (const theme of ["light", "dark"]) {
    const page = await browser.newPage({
      viewport: { width: 1080, height: 760 },
    });
    page.on("request", (request) => {
      if (
        !/^(data:|about:|http:\/\/(127\.0\.0\.1|localhost):)/.test(
          request.url(),
        )
      )
        outside.push(request.url());
    });
    for (const screen of screens) {
      if (only.length && !only.includes(screen.name)) continue;
      const place = `${screen.name} ${lang} ${theme}`;
      await visit(page, screen, lang, theme);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() =>
        globalThis.axe.run(document, {
          runOnly: [
            "wcag2a",
            "wcag2aa",
            "wcag21a",
            "wcag21aa",
            "wcag22aa",
            "best-practice",
          ],
        }),
      );
      visited += 1;
      for (const { id, impact, help, nodes } of violations)
        complain(
          place,
          `${impact} ${id}: ${help}\n    ${nodes.map((node) => node.html.slice(0, 160)).join("\n    ")}`,
        );
      if (screen.name === "ticket-formatted") await fences(page, place);
      if (theme === "light") {
        await page.setViewportSize({ width: 320, height: 240 });
        await page.waitForTimeout(100);
        const over = await page.evaluate(
          () => document.documentElement.scrollWidth - innerWidth,
        );
        if (over > 0) complain(place, `scrolls ${over} px sideways at 320 px`);
        await page.setViewportSize({ width: 1080, height: 760 });
      }
    }
    await page.close();
  }
}
await close();
console.log(`${visited} screens visited, ${bad} complaints`);
process.exitCode = bad ? 1 : 0;
