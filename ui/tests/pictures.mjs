// Takes pictures of screens: node tests/pictures.mjs OUT [lang] [theme] [width] [height] [scale] [name…]
import { mkdirSync } from "node:fs";
import { open, screens } from "./screens.mjs";

const [
  out = "dist-pictures",
  lang = "en",
  theme = "light",
  width = "1080",
  height = "760",
  scale = "1",
  ...names
] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const { newPage, visit, close } = await open();
const page = await newPage({
  viewport: { width: Number(width), height: Number(height) },
  deviceScaleFactor: Number(scale),
});
page.on("pageerror", (error) => console.error(String(error)));
for (const screen of screens) {
  if (names.length && !names.includes(screen.name)) continue;
  await visit(page, screen, lang, theme);
  await page.evaluate(() => scrollTo(0, 0));
  const wide = await page.evaluate(
    () => document.documentElement.scrollWidth > innerWidth,
  );
  if (wide) console.error(`${screen.name}: scrolls sideways`);
  // What fills the window, or lies above it, is seen as the window shows it.
  const fixed =
    screen.name === "tickets" ||
    (await page.locator("dialog[open]").count()) > 0;
  await page.screenshot({
    path: `${out}/${screen.name}.png`,
    fullPage: !fixed,
  });
}
await close();
