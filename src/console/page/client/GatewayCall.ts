/**
 * The page's side of a call through the gateway. A call may use several sockets: a broken one is replaced as long as the
 * gateway keeps the call, and no command is carried out twice.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import {
  type Audio,
  type ClientMessage,
  type Command,
  closeCodes,
  decodeAudio,
  GatewayMessage,
  type Opening,
  subprotocol,
  tokenProtocol,
  type Welcome
} from "../../../gateway/Protocol.js"
import type { SessionEvent } from "../../../SessionEvent.js"

export type Status =
  | { readonly _tag: "Connecting" }
  | { readonly _tag: "Open"; readonly welcome: Welcome }
  /** The socket broke. The call goes on. */
  | { readonly _tag: "Reconnecting"; readonly attempt: number }
  /** The call is over. */
  | { readonly _tag: "Ended"; readonly message: string }

/** A command without its number. */
export type Ask = Command extends infer C ? (C extends Command ? Omit<C, "id"> : never) : never

/** The outcome of a command. */
export type Reply = Extract<GatewayMessage, { readonly _tag: "Done" | "Failed" }>

export interface Listeners {
  readonly onStatus: (status: Status) => void
  /** @param encoded the event in the form in which it was sent, which a file can contain */
  readonly onEvent: (event: SessionEvent, encoded: unknown) => void
  readonly onAudio: (audio: Audio) => void
}

interface Pending {
  readonly command: Command
  readonly settle: (reply: Reply) => void
}

const decode = Schema.decodeUnknownEither(GatewayMessage)

const firstDelayMs = 250
const maxDelayMs = 4_000
const ackEveryMs = 200

/** After these codes, no other socket can resume the call. */
const isFinal = (code: number): boolean =>
  Object.values(closeCodes).some((known) => known === code) && code !== closeCodes.silent && code !== closeCodes.tooFast

export class GatewayCall {
  #status: Status = { _tag: "Connecting" }
  #socket: WebSocket
  #welcome: Welcome | undefined
  #received = 0
  #acknowledged = 0
  #nextId = 1
  #brokenAt: number | undefined
  readonly #pending = new Map<number, Pending>()
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()

  /**
   * Begins a call.
   *
   * @param url of the gateway, with `ws` or `wss`
   */
  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly start: Extract<Opening, { readonly _tag: "Start" }>,
    private readonly listeners: Listeners
  ) {
    this.#socket = this.#connect(1)
    this.#every(ackEveryMs, () => {
      if (this.#received > this.#acknowledged) this.#acknowledge()
    })
  }

  get status(): Status {
    return this.#status
  }

  /** Resolves when the gateway has carried out or refused the command. */
  ask(ask: Ask): Promise<Reply> {
    const id = this.#nextId
    if (this.#status._tag === "Ended") {
      const { message } = this.#status
      return Promise.resolve({ _tag: "Failed", id, error: { _tag: "CallEnded", message } })
    }
    this.#nextId += 1
    const command: Command = { ...ask, id }
    return new Promise((settle) => {
      this.#pending.set(id, { command, settle })
      if (this.#status._tag === "Open") this.#send(command)
    })
  }

  /** Sends audio of the user, in the format `Welcome.input`. While there is no socket, it is dropped. */
  sendAudio(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#status._tag === "Open") this.#socket.send(bytes)
  }

  /** Reports how much of a content part was played; `"finished"`: all of it. */
  played(itemId: string, contentIndex: number, heardMs: number | "finished"): void {
    if (this.#status._tag === "Open") this.#send({ _tag: "Played", itemId, contentIndex, heardMs })
  }

  /** Breaks the socket, as a network failure would, to show that the call survives it. */
  breakSocket(): void {
    this.#socket.close(4_999)
  }

  hangUp(): Promise<Reply> {
    return this.ask({ _tag: "HangUp" })
  }

  /** Leaves without hanging up. The call ends when the gateway has waited long enough. */
  leave(): void {
    this.#end("You left the call.")
    this.#socket.close(1_000)
  }

  #connect(attempt: number): WebSocket {
    const socket = new WebSocket(this.url, [subprotocol, tokenProtocol(this.token)])
    socket.binaryType = "arraybuffer"
    socket.addEventListener("open", () => {
      const welcome = this.#welcome
      const { callId = "", key = "" } = welcome ?? {}
      const opening: Opening =
        welcome === undefined ? this.start : { _tag: "Resume", callId, key, received: this.#received }
      socket.send(JSON.stringify(opening))
    })
    socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (socket === this.#socket) this.#take(data)
    })
    socket.addEventListener("close", ({ code, reason }) => {
      if (socket === this.#socket) this.#closed(code, reason, attempt)
    })
    return socket
  }

  #take(data: unknown): void {
    if (data instanceof ArrayBuffer) {
      this.#received += 1
      const audio = decodeAudio(new Uint8Array(data))
      if (audio !== undefined) this.listeners.onAudio(audio)
      return
    }
    const encoded: unknown = JSON.parse(String(data))
    const read = decode(encoded)
    // A newer gateway may send messages that this page does not know.
    if (Either.isLeft(read)) {
      this.#received += 1
      return
    }
    const message = read.right
    if (message._tag === "Welcome") {
      this.#welcomed(message)
      return
    }
    if (message._tag === "Pong") return
    this.#received += 1
    switch (message._tag) {
      case "Event":
        this.listeners.onEvent(message.event, encoded instanceof Object && "event" in encoded ? encoded.event : null)
        return
      case "Done":
      case "Failed": {
        const pending = this.#pending.get(message.id)
        this.#pending.delete(message.id)
        pending?.settle(message)
        return
      }
      case "Ended":
        this.#acknowledge()
        this.#end(message.message)
        return
      case "Draining":
        return
    }
  }

  #welcomed(welcome: Welcome): void {
    const isFirst = this.#welcome === undefined
    this.#welcome = welcome
    this.#received = welcome.next - 1
    this.#acknowledged = this.#received
    this.#brokenAt = undefined
    if (isFirst) this.#every(welcome.silenceMs / 3, () => this.#send({ _tag: "Ping" }))
    this.#become({ _tag: "Open", welcome })
    // Commands that the gateway received are answered. The others are sent again.
    for (const { command } of this.#pending.values()) if (command.id > welcome.taken) this.#send(command)
  }

  #closed(code: number, reason: string, attempt: number): void {
    if (this.#status._tag === "Ended") return
    if (isFinal(code)) {
      this.#end(reason === "" ? "The server has ended the call." : reason)
      return
    }
    const now = performance.now()
    // A call that never opened cannot be resumed. The page begins another call if it wants one.
    const patienceMs = this.#welcome?.resumeWithinMs ?? 0
    this.#brokenAt ??= now
    if (now - this.#brokenAt > patienceMs) {
      this.#end("The server cannot be reached. If the command is still running, begin another call.")
      return
    }
    const next = this.#status._tag === "Reconnecting" ? attempt + 1 : 1
    this.#become({ _tag: "Reconnecting", attempt: next })
    this.#after(Math.min(maxDelayMs, firstDelayMs * 2 ** (next - 1)), () => {
      if (this.#status._tag === "Reconnecting") this.#socket = this.#connect(next)
    })
  }

  #end(message: string): void {
    if (this.#status._tag === "Ended") return
    for (const timer of this.#timers) clearTimeout(timer)
    this.#become({ _tag: "Ended", message })
    for (const [id, { settle }] of this.#pending) settle({ _tag: "Failed", id, error: { _tag: "CallEnded", message } })
    this.#pending.clear()
  }

  #become(status: Status): void {
    this.#status = status
    this.listeners.onStatus(status)
  }

  #acknowledge(): void {
    this.#acknowledged = this.#received
    this.#send({ _tag: "Ack", received: this.#received })
  }

  #send(message: ClientMessage): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  #after(delayMs: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, delayMs)
    this.#timers.add(timer)
  }

  #every(delayMs: number, run: () => void): void {
    this.#after(delayMs, () => {
      run()
      if (this.#status._tag !== "Ended") this.#every(delayMs, run)
    })
  }
}
