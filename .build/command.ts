/**
 * Bundles the `effect-realtime` command with the libraries that only it needs, so that they are in nobody's
 * `node_modules`. What the package depends on anyway stays outside, and so does the library itself.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { build, type Plugin } from "esbuild"

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

const packageOf = (input: string): string | undefined => {
  const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input) ?? []
  return folder
}

const folders = new Set(
  Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([input, { bytesInOutput }]) => {
      const folder = bytesInOutput === 0 ? undefined : packageOf(input)
      return folder === undefined ? [] : [folder]
    })
  )
)

const licences = [...folders].sort().map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"))
  const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry))
  if (file === undefined) throw new Error(`${name} has no file with its licence: it cannot be bundled.`)
  return `${name} ${version} (${license})\n\n${readFileSync(join(root, folder, file), "utf8").trim()}\n`
})
writeFileSync(join(dist, "cli.LICENSES.txt"), licences.join(`\n${"-".repeat(80)}\n\n`))

for (const [file, { bytes }] of Object.entries(metafile.outputs)) console.log(`${file}  ${Math.ceil(bytes / 1024)} KiB`)
