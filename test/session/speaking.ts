import * as Effect from "effect/Effect"
import * as Audio from "../../src/Audio.js"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"
import type { Harness } from "./harness.js"

/** A second of PCM16 at 24 kHz. */
export const second = (value = 1) => new Uint8Array(48_000).fill(value)

/** Where a part of what the server says stands. */
export const position = { response_id: "r1", item_id: "i1", output_index: 0, content_index: 0 }
export type Position = typeof position

/** The server begins a response, beside the conversation if that is asked for. */
export const begin = <E>({ model }: Pick<Harness<E>, "model">, id = "r1", beside = false) =>
  model.push({
    type: "response.created",
    response: { id, status: "in_progress", metadata: null, conversation_id: beside ? null : "conv" }
  })

/** The server begins an item of a response. */
export const beginItem = <E>({ model }: Pick<Harness<E>, "model">, at: Partial<Position> = {}) => {
  const { item_id, response_id } = { ...position, ...at }
  const item = { type: "message", id: item_id, role: "assistant", content: [] } as const
  return model.push({ type: "response.output_item.added", response_id, output_index: 0, item })
}

/** The server sends a second of audio at once. */
export const sound = <E>({ model }: Pick<Harness<E>, "model">, at: Partial<Position> = {}, value = 1) =>
  model.push({
    type: "response.output_audio.delta",
    ...position,
    ...at,
    delta: Audio.encodeBase64(second(value))
  })

/** The server begins a response and an item in it, and sends this many seconds of audio at once. */
export const speak = <E>(h: Pick<Harness<E>, "model">, seconds: number, at: Partial<Position> = {}) =>
  Effect.gen(function* () {
    yield* begin(h, at.response_id)
    yield* beginItem(h, at)
    for (let index = 0; index < seconds; index += 1) yield* sound(h, at)
  })

/** The server says words: those of its audio, or text. */
export const words = <E>(
  { model }: Pick<Harness<E>, "model">,
  kind: "Audio" | "Text",
  delta: string,
  at: Partial<Position> = {}
) =>
  model.push({
    type: kind === "Audio" ? "response.output_audio_transcript.delta" : "response.output_text.delta",
    ...position,
    ...at,
    delta
  })

/** The server has said all of a part. */
export const wordsDone = <E>(
  { model }: Harness<E>,
  kind: "Audio" | "Text",
  text: string,
  at: Partial<Position> = {}
) =>
  kind === "Audio"
    ? model.push({ type: "response.output_audio_transcript.done", ...position, ...at, transcript: text })
    : model.push({ type: "response.output_text.done", ...position, ...at, text })

/** No more audio arrives for a part. */
export const soundDone = <E>({ model }: Pick<Harness<E>, "model">, at: Partial<Position> = {}) =>
  model.push({ type: "response.output_audio.done", ...position, ...at })

/** The server ends a response. */
export const end = <E>({ model }: Pick<Harness<E>, "model">, id = "r1", status = "completed") =>
  model.push({ type: "response.done", response: { id, status, output: [] } })

/** Voice activity detection hears the user begin. */
export const userBegins = <E>({ model }: Pick<Harness<E>, "model">, itemId = "u1") =>
  model.push({ type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: itemId })

/** What the user said was transcribed. */
export const transcribed = <E>({ model }: Pick<Harness<E>, "model">, transcript: string, itemId = "u1") =>
  model.push({
    type: "conversation.item.input_audio_transcription.completed",
    item_id: itemId,
    content_index: 0,
    transcript
  })

export const sentOf = <E, T extends ClientEvent["type"]>({ model }: Pick<Harness<E>, "model">, type: T) =>
  Effect.map(model.sent, (sent) =>
    sent.filter((event): event is Extract<ClientEvent, { type: T }> => event.type === type)
  )

/** The texts that the session itself put into the conversation for the model to read. */
export const systemMessages = <E>(h: Harness<E>) =>
  Effect.map(sentOf(h, "conversation.item.create"), (sent) =>
    sent.flatMap(({ item }) =>
      "role" in item && item.role === "system"
        ? item.content.flatMap((part) => (part.type === "input_text" ? [part.text] : []))
        : []
    )
  )

/** What the server said so far was handled, and what the session sent for that has arrived: nothing is on its way. */
export const handled = <E>(h: Harness<E>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const keys = h.all("DtmfReceived").length
    yield* h.model.push({ type: "input_audio_buffer.dtmf_event_received", event: "#", received_at: 0 })
    yield* h.nth("DtmfReceived", keys + 1)
    yield* Effect.orDie(h.session.clearAudio)
    yield* h.model.next("input_audio_buffer.clear")
  })
