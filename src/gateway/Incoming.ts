/**
 * The input of one socket: checks its size, rate and form, and dispatches it. The socket calls this synchronously, so it
 * never waits.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Close } from "../serving/Close.js"
import { Bucket } from "./Bucket.js"
import type { Limits } from "./Options.js"
import { ClientMessage, closeCodes, Opening } from "./Protocol.js"

const readOpening = Schema.decodeUnknownEither(Schema.parseJson(Opening))
const readMessage = Schema.decodeUnknownEither(Schema.parseJson(ClientMessage))

/** The input of a call: audio, and every message except `Ping`. */
export type Input = Uint8Array | Exclude<ClientMessage, { readonly _tag: "Ping" }>

/** Handles the messages that are for the socket itself. */
export interface Receivers {
  readonly onOpening: (opening: Opening) => void
  readonly onPing: () => void
}

/** `Opening`: no message has arrived yet. `Beginning`: the call has not begun yet. */
type Phase =
  | { readonly _tag: "Opening" }
  | { readonly _tag: "Beginning" }
  | { readonly _tag: "InCall"; readonly receive: (input: Input) => Close | undefined }

const malformed = (reason: string): Close => ({ code: closeCodes.malformed, reason })

export class Incoming {
  #phase: Phase = { _tag: "Opening" }
  #heardAt: number
  readonly #bytes: Bucket
  readonly #messages: Bucket

  constructor(
    private readonly limits: Limits,
    private readonly receivers: Receivers,
    now: number
  ) {
    this.#heardAt = now
    this.#bytes = new Bucket(limits.maxBytesPerSecond, limits.maxBurstBytes, now)
    this.#messages = new Bucket(limits.maxMessagesPerSecond, 10 * limits.maxMessagesPerSecond, now)
  }

  /** When the last message arrived. */
  get heardAt(): number {
    return this.#heardAt
  }

  /** From now on, all input goes to this call. */
  begin(receive: (input: Input) => Close | undefined): void {
    this.#phase = { _tag: "InCall", receive }
  }

  /** Handles a message. Returns why the socket must close, if the message is not acceptable. */
  take(data: string | Uint8Array, now: number): Close | undefined {
    this.#heardAt = now
    if (data.length > this.limits.maxMessageBytes) {
      return { code: closeCodes.tooLarge, reason: `A message may have at most ${this.limits.maxMessageBytes} bytes.` }
    }
    if (!this.#messages.take(1, now) || !this.#bytes.take(data.length, now)) {
      return { code: closeCodes.tooFast, reason: "Send less per second." }
    }
    switch (this.#phase._tag) {
      case "Opening": {
        const read = typeof data === "string" ? readOpening(data) : undefined
        if (read === undefined || Either.isLeft(read)) return malformed("The first message must be Start or Resume.")
        this.#phase = { _tag: "Beginning" }
        this.receivers.onOpening(read.right)
        return undefined
      }
      case "Beginning":
        return malformed("Wait for Welcome.")
      case "InCall": {
        if (typeof data !== "string") return this.#phase.receive(data)
        const read = readMessage(data)
        if (Either.isLeft(read)) return malformed("This is not a message of the protocol.")
        if (read.right._tag !== "Ping") return this.#phase.receive(read.right)
        this.receivers.onPing()
        return undefined
      }
    }
  }
}
