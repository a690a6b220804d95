/** Builds one script for each island in src/islands/, and the site's style sheet. */
import { globSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

const islands = globSync("src/islands/*.tsx", { cwd: import.meta.dirname }).sort();

export default defineConfig({
  root: import.meta.dirname,
  base: "/static/",
  publicDir: false,
  build: {
    outDir: "dist",
    emptyOutDir: true,
    manifest: true,
    // Anything below this size would become a data: address, which the CSP allows for pictures only.
    assetsInlineLimit: 0,
    target: "es2022",
    rolldownOptions: {
      input: ["styles/main.css", ...islands].map((file) => resolve(import.meta.dirname, file)),
    },
  },
  test: {
    include: ["src/**/*.test.{ts,tsx}"],
    // Logic without a page: a process for each file costs more than all its tests.
    isolate: false,
  },
});
