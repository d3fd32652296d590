import { WebSocket } from "ws"
import { apiKey, type Client, instructions, toolsOf, type Wishes } from "./Client.js"

/** What is read of the server's events. */
interface ServerEvent {
  readonly type: string
  readonly delta: string
  readonly item?: { readonly id: string; readonly type: string; readonly call_id: string; readonly arguments: string }
}

/** How the two floors differ: by the way of what the model says to its listener, and of what the user says to the socket. */
export interface Ways {
  readonly speaker: (listener: (bytes: Uint8Array) => void) => (bytes: Uint8Array) => void
  readonly microphone: (send: (bytes: Uint8Array<ArrayBuffer>) => void) => (bytes: Uint8Array<ArrayBuffer>) => void
}

/** The least that the work takes: parse each frame, answer the call, ask for the next response. No errors, no checks. */
export const connectBare = (url: string, wishes: Wishes, ways: Ways): Promise<Client> =>
  new Promise((resolve) => {
    const socket = new WebSocket(url, { perMessageDeflate: false, headers: { Authorization: `Bearer ${apiKey}` } })
    const send = (event: object): void => socket.send(JSON.stringify(event))
    const ask = (): void => send({ type: "response.create" })
    const items = new Map<string, object>()
    let calls: Array<Promise<void>> = []

    const answer = async (item: { readonly call_id: string; readonly arguments: string }): Promise<void> => {
      JSON.parse(item.arguments)
      const output = await wishes.onCall?.()
      send({ type: "conversation.item.create", item: { type: "function_call_output", call_id: item.call_id, output } })
    }

    const client: Client = {
      say: (text) => {
        send({
          type: "conversation.item.create",
          item: { type: "message", role: "user", content: [{ type: "input_text", text }] }
        })
        ask()
      },
      askForResponse: ask,
      sendAudio: ways.microphone((bytes) => {
        const audio = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")
        send({ type: "input_audio_buffer.append", audio })
      }),
      commitAudio: () => send({ type: "input_audio_buffer.commit" }),
      close: async () => socket.terminate()
    }

    const { onAudio } = wishes
    const play = onAudio === undefined ? undefined : ways.speaker(onAudio)
    const receive = (event: ServerEvent): void => {
      switch (event.type) {
        case "session.created": {
          const tools = toolsOf(wishes).map((tool) => ({ type: "function", ...tool }))
          send({ type: "session.update", session: { type: "realtime", instructions, tools } })
          break
        }
        case "session.updated":
          resolve(client)
          break
        case "response.output_audio.delta":
          play?.(Buffer.from(event.delta, "base64"))
          break
        case "conversation.item.added":
        case "conversation.item.done":
          if (event.item === undefined) break
          items.set(event.item.id, event.item)
          if (event.type === "conversation.item.done") wishes.onItem?.()
          break
        case "response.output_item.done":
          if (event.item?.type === "function_call") calls.push(answer(event.item))
          break
        case "response.done": {
          wishes.onResponseDone?.()
          if (calls.length === 0) break
          // One response at a time: the next is asked for when this one is over, and its calls are answered.
          const answered = Promise.all(calls)
          calls = []
          void answered.then(ask)
          break
        }
      }
    }
    // The server is the bench's own.
    socket.on("message", (data) => receive(JSON.parse(String(data)) as ServerEvent))
  })
