import { WebSocket } from "ws"
import { contend, instructions, tool, userText } from "./contender.js"

/** What is read of the server's events. */
interface ServerEvent {
  readonly type: string
  readonly item?: { readonly type: string; readonly call_id: string; readonly arguments: string }
}

/** The least that the work takes: parse each frame, answer the call, ask for the next response. No errors, no checks. */
await contend(
  (url, meter) =>
    new Promise((resolve) => {
      const socket = new WebSocket(url, { perMessageDeflate: false })
      const send = (event: object): void => socket.send(JSON.stringify(event))
      const ask = (): void => send({ type: "response.create" })

      const answer = (callId: string): void => {
        send({
          type: "conversation.item.create",
          item: { type: "function_call_output", call_id: callId, output: "ok" }
        })
        ask()
      }
      const contender = {
        begin: () => {
          send({
            type: "conversation.item.create",
            item: { type: "message", role: "user", content: [{ type: "input_text", text: userText }] }
          })
          ask()
        },
        close: async () => socket.terminate()
      }

      let pending: { readonly callId: string; readonly pause: Promise<void> | undefined } | undefined
      const receive = (event: ServerEvent): void => {
        switch (event.type) {
          case "session.created":
            send({
              type: "session.update",
              session: { type: "realtime", instructions, tools: [{ type: "function", ...tool }] }
            })
            break
          case "session.updated":
            resolve(contender)
            break
          case "response.output_item.done":
            if (event.item?.type !== "function_call") break
            JSON.parse(event.item.arguments)
            pending = { callId: event.item.call_id, pause: meter.handlerStarted() }
            break
          case "response.done": {
            // One response at a time: the next is asked for when this one is over.
            const { callId, pause } = pending ?? { callId: "", pause: undefined }
            if (pause === undefined) answer(callId)
            else void pause.then(() => answer(callId))
            break
          }
        }
      }
      // The server is the bench's own.
      socket.on("message", (data) => receive(JSON.parse(String(data)) as ServerEvent))
    })
)
