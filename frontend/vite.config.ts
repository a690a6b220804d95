/** Builds one script for each island in src/islands/, and the site's style sheet. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const islands = globSync("src/islands/*.tsx", { cwd: import.meta.dirname }).sort();

/** Puts a gzipped copy beside each file: the server sends that to browsers that take it. */
function gzipped(): Plugin {
  return {
    name: "gzipped",
    apply: "build",
    writeBundle({ dir = "" }, bundle) {
      for (const name of Object.keys(bundle).filter((each) => /\.(js|css)$/.test(each))) {
        const file = resolve(dir, name);
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [gzipped()],
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
