/** References within a JSON Schema: `#/$defs/Address`. */

type JsonObject = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null

/** The names on the way from the root; `undefined` if the reference leads out of the document. */
export const keysOf = (reference: string): ReadonlyArray<string> | undefined => {
  if (reference === "#") return []
  if (!reference.startsWith("#/")) return undefined
  return reference
    .slice(2)
    .split("/")
    .map((key) => key.replace(/~1/g, "/").replace(/~0/g, "~"))
}

/** As `keysOf`, for a reference that is encoded as part of a URL, such as `#/$defs/a%20b`. */
export const decodedKeysOf = (reference: string): ReadonlyArray<string> | undefined => {
  try {
    return keysOf(decodeURIComponent(reference))
  } catch {
    return keysOf(reference)
  }
}

/** The value at the end of the way; `undefined` if there is none. */
export const valueAt = (root: unknown, keys: ReadonlyArray<string>): unknown => {
  let at = root
  for (const key of keys) at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined
  return at
}

/** A way from the root, written as a reference. */
export const pointerOf = (keys: ReadonlyArray<string | number>): string =>
  ["#", ...keys.map((key) => String(key).replace(/~/g, "~0").replace(/\//g, "~1"))].join("/")
