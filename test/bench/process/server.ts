import { type WebSocket, WebSocketServer } from "ws"
import { callArguments, callEvents, type Item, partEvents, responseEvents } from "./events.js"
import type { Answer, Order, Report } from "./messages.js"
import { sound } from "./tasks/sound.js"

/**
 * The least of a realtime server: each `response.create` is answered as the bench says, with the whole set of events that
 * the API sends for it, and nothing else. One connection knows nothing of another.
 */

/** What is read of the client's events; the rest is not looked at. */
interface ClientEvent {
  readonly type: string
  readonly session?: object
  readonly item?: { readonly id?: string; readonly type: string }
  readonly response?: { readonly metadata?: unknown }
}

let answer: Answer = { _tag: "Text", deltas: 1 }

const audio = new Map<number, string>()
const audioOf = (bytes: number): string => {
  const known = audio.get(bytes) ?? Buffer.from(sound(bytes)).toString("base64")
  audio.set(bytes, known)
  return known
}

/** Nobody waits for an answer to an append of audio: it is not parsed. Its type is near one of its ends. */
const isAppend = (data: Buffer): boolean =>
  [data.subarray(0, 120), data.subarray(-120)].some((end) => end.includes("input_audio_buffer.append"))

const converse = (socket: WebSocket): void => {
  let session: object = { type: "realtime", object: "realtime.session", id: "sess_1", model: "gpt-realtime" }
  let events = 0
  let responses = 0
  let items = 0
  let previous: string | null = null
  let hasCalled = false

  const send = (event: object): void => {
    events += 1
    socket.send(JSON.stringify({ event_id: `event_${events}`, ...event }))
  }
  const sendAll = (some: ReadonlyArray<object>): void => some.forEach(send)

  const newId = (prefix: string): string => {
    items += 1
    return `${prefix}_${items}`
  }

  const itemCreated = (item: Item): void => {
    send({ type: "conversation.item.added", previous_item_id: previous, item })
    send({ type: "conversation.item.done", previous_item_id: previous, item })
    previous = item.id
  }

  const speak = (kind: "audio" | "text", delta: string, deltas: number, everyMs: number, metadata: unknown): void => {
    const responseId = `resp_${responses}`
    const { created, added, itemDone, done } = responseEvents(responseId, metadata, kind)
    const message = { id: newId("item"), object: "realtime.item", type: "message", role: "assistant" }
    const begun: Item = { ...message, status: "in_progress", content: [] }
    const content = kind === "audio" ? { type: "output_audio", transcript: "" } : { type: "output_text", text: "…" }
    const complete: Item = { ...message, status: "completed", content: [content] }
    const part = partEvents(responseId, begun, kind, delta)
    const sendDelta = (): void => {
      events += 1
      socket.send(`{"event_id":"event_${events}",${part.delta}`)
    }
    const before = previous
    const finish = (): void => sendAll([...part.done, ...itemDone(complete, 0, before), done([complete])])

    sendAll([created, ...added(begun, 0, before), part.added])
    previous = message.id
    if (everyMs === 0) {
      // Each in a turn of the event loop: data does not arrive over a network as one block.
      const sendFrom = (sent: number): void => {
        if (sent < deltas) {
          sendDelta()
          setImmediate(sendFrom, sent + 1)
        } else finish()
      }
      sendFrom(0)
      return
    }
    let left = deltas
    const timer = setInterval(() => {
      if (left > 0) sendDelta()
      else finish()
      if (left === 0 || socket.readyState !== socket.OPEN) clearInterval(timer)
      left -= 1
    }, everyMs)
  }

  const call = (calls: number, metadata: unknown): void => {
    const responseId = `resp_${responses}`
    const { created, added, itemDone, done } = responseEvents(responseId, metadata, "text")
    const output: Array<Item> = []
    send(created)
    for (let index = 0; index < calls; index += 1) {
      const id = newId("item")
      const item = { id, object: "realtime.item", type: "function_call", name: "lookup", call_id: `call_${id}` }
      const begun: Item = { ...item, status: "in_progress", arguments: "" }
      const complete: Item = { ...item, status: "completed", arguments: callArguments }
      sendAll(added(begun, index, previous))
      sendAll(callEvents(responseId, begun, index))
      sendAll(itemDone(complete, index, previous))
      output.push(complete)
      previous = id
    }
    send(done(output))
  }

  const respond = (metadata: unknown): void => {
    responses += 1
    switch (answer._tag) {
      case "Audio":
        speak("audio", audioOf(answer.bytes), answer.deltas, answer.everyMs ?? 0, metadata)
        break
      case "Text":
        speak("text", "word ", answer.deltas, 0, metadata)
        break
      case "Calls":
        if (answer.thenText && hasCalled) speak("text", "Done.", 1, 0, metadata)
        else call(answer.calls, metadata)
        hasCalled = answer.thenText && !hasCalled
        break
      case "Items": {
        const { created, done } = responseEvents(`resp_${responses}`, metadata, "text")
        send(created)
        for (let item = 0; item < answer.items; item += 1) {
          const content = [{ type: "input_text", text: "Where do we stand?" }]
          const id = newId("item")
          itemCreated({ id, object: "realtime.item", type: "message", status: "completed", role: "user", content })
        }
        send(done([]))
      }
    }
  }

  const receive = (event: ClientEvent): void => {
    switch (event.type) {
      case "session.update":
        session = { ...session, ...event.session }
        send({ type: "session.updated", session })
        break
      case "conversation.item.create":
        itemCreated({ type: "message", ...event.item, id: event.item?.id ?? newId("item_c"), status: "completed" })
        break
      case "input_audio_buffer.commit": {
        const id = newId("item")
        const content = [{ type: "input_audio", transcript: null }]
        send({ type: "input_audio_buffer.committed", previous_item_id: previous, item_id: id })
        itemCreated({ id, object: "realtime.item", type: "message", status: "completed", role: "user", content })
        break
      }
      case "response.create":
        respond(event.response?.metadata)
        break
    }
  }

  socket.on("message", (data: Buffer) => {
    // The clients are the contenders of this bench.
    if (!isAppend(data)) receive(JSON.parse(data.toString("utf8")) as ClientEvent)
  })
  socket.on("error", () => undefined)
  send({ type: "session.created", session })
}

const report = (message: Report): void => void process.send?.(message)

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false })
server.on("connection", converse)
server.on("listening", () => {
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  report({ _tag: "Listening", url: `ws://127.0.0.1:${port}/v1/realtime` })
})
process.on("message", (message) => {
  // The other end is this package's own code.
  const order = message as Order
  if (order._tag !== "Answer") return
  answer = order.answer
  report({ _tag: "Ready" })
})
process.on("disconnect", () => process.exit(0))
