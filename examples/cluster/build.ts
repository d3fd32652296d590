/** Bundles the server into one file, which needs nothing but Node: `npx tsx examples/cluster/build.ts server.mjs`. */
import { build } from "esbuild"

const [, , outfile] = process.argv
if (outfile === undefined) throw new Error("Say which file to write, such as server.mjs.")

await build({
  entryPoints: [`${import.meta.dirname}/server.ts`],
  outfile,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  external: ["pg-native", "bufferutil", "utf-8-validate", "cloudflare:sockets"],
  // CommonJS libraries ask for Node's modules.
  banner: {
    js: `import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);`
  },
  logLevel: "error"
})
