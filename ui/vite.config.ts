import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [svelte(), svelteTesting()],
  clearScreen: false,
  server: {
    host: "127.0.0.1",
    port: 5173,
    strictPort: true,
    // The demonstration reads the core's cards.
    fs: { allow: [".."] },
  },
  build: {
    // The oldest webviews Tauri 2 starts on that know `light-dark()`.
    target: ["safari17.5", "chrome123"],
    // The polyfill would be an inline script, which the content security policy forbids.
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.ts"],
    setupFiles: ["tests/setup.ts"],
    // A loaded computer takes its time.
    testTimeout: 20_000,
  },
});
