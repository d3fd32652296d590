import * as Encoding from "effect/Encoding"

/**
 * A form that is not a list of files: the service refuses parts with file names, which `FormData` gives to parts that have
 * a type. Nobody can guess the boundary, so no part has it in it, whoever wrote the part.
 */
export const multipart = (parts: ReadonlyArray<readonly [name: string, type: string, text: string]>) => {
  const boundary = `effect-realtime-${Encoding.encodeHex(crypto.getRandomValues(new Uint8Array(16)))}`
  const lines = parts.flatMap(([name, type, text]) => [
    `--${boundary}`,
    `Content-Disposition: form-data; name="${name}"`,
    `Content-Type: ${type}`,
    "",
    text
  ])
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: [...lines, `--${boundary}--`, ""].join("\r\n")
  }
}
