/** Reads client frames as strictly as the real API. */
import type { ClientEvent } from "../protocol/ClientEvent.js"
import { parse } from "../protocol/parse.js"
import { clientEvent } from "./ClientShapes.js"
import { isObject, type JsonObject, type Refusal, refusal } from "./Shape.js"

export type ClientFrame =
  | { readonly _tag: "Accepted"; readonly event: ClientEvent; readonly json: JsonObject }
  | { readonly _tag: "Refused"; readonly refusal: Refusal; readonly json: JsonObject }

const jsonOf = (text: string): unknown => {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}

export const read = (text: string): ClientFrame => {
  const json = jsonOf(text)
  if (!isObject(json)) {
    const what = json === undefined ? "The event could not be parsed as JSON." : "An event must be a JSON object."
    return { _tag: "Refused", refusal: refusal("invalid_event", what), json: {} }
  }
  const problem = clientEvent(json, "")
  if (problem !== undefined) return { _tag: "Refused", refusal: problem, json }
  // JSON border: the shape was checked field by field just above.
  return { _tag: "Accepted", event: json as unknown as ClientEvent, json }
}
