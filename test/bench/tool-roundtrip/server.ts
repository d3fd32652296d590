import { type WebSocket, WebSocketServer } from "ws"
import type { Report } from "../Process.js"

/**
 * The least of a realtime server: each `response.create` is answered with the whole set of events that the API sends
 * for one function call, and nothing else.
 */

/** What is read of the client's events; the rest is not looked at. */
interface ClientEvent {
  readonly type: string
  readonly session?: object
  readonly item?: { readonly id?: string }
  readonly response?: { readonly metadata?: unknown }
}

const usage = {
  total_tokens: 60,
  input_tokens: 40,
  output_tokens: 20,
  input_token_details: { text_tokens: 40, audio_tokens: 0, image_tokens: 0, cached_tokens: 0 },
  output_token_details: { text_tokens: 20, audio_tokens: 0 }
}

const pieces = ['{"step', '":12,"city', '":"Paris"}']
const text = pieces.join("")

const converse = (socket: WebSocket): void => {
  let session: object = { type: "realtime", object: "realtime.session", id: "sess_1", model: "gpt-realtime" }
  let events = 0
  let calls = 0
  let items = 0
  let previous: string | null = null

  const send = (event: object): void => {
    events += 1
    socket.send(JSON.stringify({ event_id: `event_${events}`, ...event }))
  }

  const itemCreated = (given: { readonly id?: string }): void => {
    items += 1
    const item = { object: "realtime.item", status: "completed", ...given, id: given.id ?? `item_c${items}` }
    send({ type: "conversation.item.added", previous_item_id: previous, item })
    send({ type: "conversation.item.done", previous_item_id: previous, item })
    previous = item.id
  }

  const respond = (metadata: unknown): void => {
    calls += 1
    const responseId = `resp_${calls}`
    const callId = `call_${calls}`
    const itemId = `item_${calls}`
    const response = {
      object: "realtime.response",
      id: responseId,
      conversation_id: "conv_1",
      output_modalities: ["text"],
      max_output_tokens: "inf",
      metadata: metadata ?? null
    }
    const item = { id: itemId, object: "realtime.item", type: "function_call", name: "lookup", call_id: callId }
    const begun = { ...item, status: "in_progress", arguments: "" }
    const complete = { ...item, status: "completed", arguments: text }
    const place = { response_id: responseId, item_id: itemId, output_index: 0 }

    send({
      type: "response.created",
      response: { ...response, status: "in_progress", status_details: null, output: [], usage: null }
    })
    send({ type: "response.output_item.added", response_id: responseId, output_index: 0, item: begun })
    send({ type: "conversation.item.added", previous_item_id: previous, item: begun })
    for (const delta of pieces) {
      send({ type: "response.function_call_arguments.delta", ...place, call_id: callId, delta })
    }
    send({
      type: "response.function_call_arguments.done",
      ...place,
      call_id: callId,
      name: "lookup",
      arguments: text
    })
    send({ type: "response.output_item.done", response_id: responseId, output_index: 0, item: complete })
    send({ type: "conversation.item.done", previous_item_id: previous, item: complete })
    send({
      type: "response.done",
      response: { ...response, status: "completed", status_details: null, output: [complete], usage }
    })
    previous = itemId
  }

  const receive = (event: ClientEvent): void => {
    switch (event.type) {
      case "session.update":
        session = { ...session, ...event.session }
        send({ type: "session.updated", session })
        break
      case "conversation.item.create":
        itemCreated(event.item ?? {})
        break
      case "response.create":
        respond(event.response?.metadata)
        break
    }
  }

  // The clients are the contenders of this bench.
  socket.on("message", (data) => receive(JSON.parse(String(data)) as ClientEvent))
  socket.on("error", () => undefined)
  send({ type: "session.created", session })
}

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false })
server.on("connection", converse)
server.on("listening", () => {
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const report: Report = { _tag: "Listening", url: `ws://127.0.0.1:${port}/v1/realtime` }
  process.send?.(report)
})
process.on("disconnect", () => process.exit(0))
