/** Builds the console's page into `dist/console`, with every asset in its own file, and the licences of what is in it. */
import { fileURLToPath } from "node:url"
import { defineConfig, type Plugin } from "vite"
import { licencesOf } from "./licences.js"

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const licences: Plugin = {
  name: "licences",
  generateBundle(_, bundle) {
    const modules = Object.values(bundle).flatMap((file) =>
      file.type === "chunk"
        ? Object.entries(file.modules).flatMap(([id, { renderedLength }]) => (renderedLength === 0 ? [] : [id]))
        : []
    )
    this.emitFile({ type: "asset", fileName: "LICENSES.txt", source: licencesOf(modules) })
  }
}

export default defineConfig({
  root: here("../src/console/page"),
  base: "./",
  logLevel: "warn",
  plugins: [licences],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: here("../dist/console"),
    emptyOutDir: true,
    target: "es2022",
    // The page's Content-Security-Policy allows no `data:` addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_000
  }
})
