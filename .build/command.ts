/**
 * Bundles the `effect-realtime` command with the libraries that only it needs, so that they are in nobody's
 * `node_modules`. What the package depends on anyway stays outside, and so does the library itself.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { build, type Plugin } from "esbuild"
import { licencesOf } from "./licences.js"

const root = join(import.meta.dirname, "..")
const src = join(root, "src")
const dist = join(root, "dist")
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

/** The library is beside the command already: its modules must not be there twice. */
const library: Plugin = {
  name: "library",
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
      const module = relative(src, join(resolveDir, path))
      const own =
        module.startsWith("..") || module.startsWith("command/") || module.startsWith("console/") || module === "cli.ts"
      return own ? undefined : { path: `./${module}`, external: true }
    })
  }
}

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: [join(src, "cli.ts")],
  outdir: dist,
  chunkNames: "cli-[name]-[hash]",
  bundle: true,
  splitting: true,
  minify: true,
  legalComments: "none",
  format: "esm",
  platform: "node",
  target: "node20",
  external: [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)],
  // CommonJS libraries ask for Node's modules.
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  plugins: [library],
  metafile: true
})

const bundled = Object.values(metafile.outputs).flatMap(({ inputs }) =>
  Object.entries(inputs).flatMap(([input, { bytesInOutput }]) => (bytesInOutput === 0 ? [] : [join(root, input)]))
)
writeFileSync(join(dist, "cli.LICENSES.txt"), licencesOf(bundled))

for (const [file, { bytes }] of Object.entries(metafile.outputs)) console.log(`${file}  ${Math.ceil(bytes / 1024)} KiB`)
