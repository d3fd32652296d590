/**
 * ONNX Runtime on WebAssembly, in this thread.
 */
import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-web/wasm"
import { type File, files } from "../files.js"
import { read } from "./installed.js"

export interface Runtime {
  readonly Tensor: TensorConstructor
  readonly open: (model: File) => Promise<InferenceSession>
}

export type { InferenceSession, Tensor }

export const load = async (): Promise<Runtime> => {
  const wasm = await read(files.runtime)
  const ort = await import("onnxruntime-web/wasm")
  // More threads would need workers of their own, and models as small as these would run slower.
  ort.env.wasm.numThreads = 1
  ort.env.wasm.wasmBinary = wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength)
  return {
    Tensor: ort.Tensor,
    open: async (model) => ort.InferenceSession.create(await read(model))
  }
}

/** The output of a model with this name. */
export const outputOf = (outputs: InferenceSession.OnnxValueMapType, name: string): Tensor => {
  const output = outputs[name]
  if (output === undefined) throw new Error(`The model has no output ${name}.`)
  return output
}

/** The numbers in an output of type float32. */
export const floatsOf = (tensor: Tensor): Float32Array => {
  const { data } = tensor
  if (data instanceof Float32Array) return data
  throw new Error(`An output of the model has the type ${tensor.type}, not float32.`)
}
