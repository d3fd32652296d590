/** What the server of a bench sends, as the API does: whole sets of events, as JSON. */

const usage = {
  total_tokens: 60,
  input_tokens: 40,
  output_tokens: 20,
  input_token_details: { text_tokens: 40, audio_tokens: 0, image_tokens: 0, cached_tokens: 0 },
  output_token_details: { text_tokens: 20, audio_tokens: 0 }
}

export interface Item {
  readonly id: string
  readonly type: string
  readonly status: string
  readonly [field: string]: unknown
}

/** One response: its beginning, its end, and the events between them for each of its items. */
export const responseEvents = (id: string, metadata: unknown, modality: "audio" | "text") => {
  const response = {
    object: "realtime.response",
    id,
    conversation_id: "conv_1",
    output_modalities: [modality],
    max_output_tokens: "inf",
    metadata: metadata ?? null
  }
  return {
    created: {
      type: "response.created",
      response: { ...response, status: "in_progress", status_details: null, output: [], usage: null }
    },
    added: (item: Item, index: number, previous: string | null) => [
      { type: "response.output_item.added", response_id: id, output_index: index, item },
      { type: "conversation.item.added", previous_item_id: previous, item }
    ],
    itemDone: (item: Item, index: number, previous: string | null) => [
      { type: "response.output_item.done", response_id: id, output_index: index, item },
      { type: "conversation.item.done", previous_item_id: previous, item }
    ],
    done: (output: ReadonlyArray<Item>) => ({
      type: "response.done",
      response: { ...response, status: "completed", status_details: null, output, usage }
    })
  }
}

const argumentPieces = ['{"step', '":12,"city', '":"Paris"}']
export const callArguments = argumentPieces.join("")

/** The events between the beginning and the end of a call's item. */
export const callEvents = (responseId: string, item: Item, index: number): ReadonlyArray<object> => {
  const place = { response_id: responseId, item_id: item.id, output_index: index, call_id: item["call_id"] }
  return [
    ...argumentPieces.map((delta) => ({ type: "response.function_call_arguments.delta", ...place, delta })),
    { type: "response.function_call_arguments.done", ...place, name: item["name"], arguments: callArguments }
  ]
}

/** What opens and closes the one part of a message, and the JSON of its deltas but for their `event_id`. */
export const partEvents = (responseId: string, item: Item, kind: "audio" | "text", delta: string) => {
  const place = { response_id: responseId, item_id: item.id, output_index: 0, content_index: 0 }
  const name = kind === "audio" ? "response.output_audio" : "response.output_text"
  const part = kind === "audio" ? { type: "audio", transcript: "" } : { type: "text", text: "" }
  return {
    added: { type: "response.content_part.added", ...place, part },
    /** Stringified once for all, so that the server is not the bottleneck. */
    delta: JSON.stringify({ type: `${name}.delta`, ...place, delta }).slice(1),
    done: [
      kind === "audio" ? { type: `${name}.done`, ...place } : { type: `${name}.done`, ...place, text: "…" },
      { type: "response.content_part.done", ...place, part: kind === "audio" ? part : { type: "text", text: "…" } }
    ]
  }
}
