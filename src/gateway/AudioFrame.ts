/**
 * Binary frames from the gateway: one chunk of the model's audio, with the content part that it belongs to.
 *
 * | bytes    | what                                                            |
 * | -------- | --------------------------------------------------------------- |
 * | 0        | 1: audio. Skip frames of any other kind                         |
 * | 1        | bit 0: the response is outside the conversation (`outOfBand`)   |
 * | 2, 3     | `contentIndex`                                                  |
 * | 4, 5     | length of `itemId` in UTF-8 bytes                               |
 * | 6, 7     | length of `responseId` in UTF-8 bytes                           |
 * | 8 …      | `itemId`, `responseId`, and a zero byte if their total length is odd |
 * | the rest | the audio, starting at an even offset                           |
 *
 * Numbers are unsigned and little-endian.
 *
 * @since 0.1.0
 */
import type { AudioChunk } from "../SessionEvent.js"

/**
 * A chunk of the model's audio, as the session publishes it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Audio extends AudioChunk {}

const AUDIO = 1
const HEADER_BYTES = 8
/** The length of an id is a 16-bit field. */
const maxIdBytes = 0xffff

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * Encodes a chunk as a frame. Returns `undefined` if an id or an index does not fit the header; no known server sends one.
 *
 * @since 0.1.0
 * @category audio
 */
export const encodeAudio = (chunk: Audio): Uint8Array | undefined => {
  const item = encoder.encode(chunk.itemId)
  const response = encoder.encode(chunk.responseId)
  const { bytes, contentIndex } = chunk
  if (item.length > maxIdBytes || response.length > maxIdBytes || contentIndex > 0xffff) return undefined
  const begin = audioAt(item.length, response.length)
  const frame = new Uint8Array(begin + bytes.length)
  const view = new DataView(frame.buffer)
  view.setUint8(0, AUDIO)
  view.setUint8(1, chunk.outOfBand ? 1 : 0)
  view.setUint16(2, contentIndex, true)
  view.setUint16(4, item.length, true)
  view.setUint16(6, response.length, true)
  frame.set(item, HEADER_BYTES)
  frame.set(response, HEADER_BYTES + item.length)
  frame.set(bytes, begin)
  return frame
}

/**
 * Decodes a frame. The bytes of the chunk are a view of the frame. Returns `undefined` for a truncated frame, or one of
 * another kind.
 *
 * @since 0.1.0
 * @category audio
 */
export const decodeAudio = (frame: Uint8Array): Audio | undefined => {
  if (frame.length < HEADER_BYTES || frame[0] !== AUDIO) return undefined
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const item = view.getUint16(4, true)
  const response = view.getUint16(6, true)
  const begin = audioAt(item, response)
  if (frame.length < begin) return undefined
  return {
    itemId: decoder.decode(frame.subarray(HEADER_BYTES, HEADER_BYTES + item)),
    responseId: decoder.decode(frame.subarray(HEADER_BYTES + item, HEADER_BYTES + item + response)),
    contentIndex: view.getUint16(2, true),
    outOfBand: (view.getUint8(1) & 1) === 1,
    bytes: frame.subarray(begin)
  }
}

/** The offset of the audio. It is even, so that 16-bit samples can be read in place. */
const audioAt = (itemBytes: number, responseBytes: number): number => {
  const end = HEADER_BYTES + itemBytes + responseBytes
  return end + (end % 2)
}
