/** The messages of the protocol as text and bytes, as a client writes and reads them. */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type Audio, ClientMessage, decodeAudio, GatewayMessage, Opening } from "../gateway/Protocol.js"

export const writeMessage = Schema.encodeSync(Schema.parseJson(ClientMessage))
export const writeOpening = Schema.encodeSync(Schema.parseJson(Opening))

const readMessage = Schema.decodeUnknownEither(Schema.parseJson(GatewayMessage))

/** A frame from the gateway. */
export type Frame = GatewayMessage | { readonly _tag: "Audio"; readonly chunk: Audio }

/** `undefined`: a frame that this version does not know. A newer gateway may send one. */
export const decode = (data: string | Uint8Array): Frame | undefined => {
  if (typeof data === "string") return Option.getOrUndefined(Either.getRight(readMessage(data)))
  const chunk = decodeAudio(data)
  return chunk === undefined ? undefined : { _tag: "Audio", chunk }
}
