/**
 * What comes in on one socket: checked for its size, its rate and its form, and handed to where it belongs. Called by the
 * socket, so it never waits.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Bucket } from "./Bucket.js"
import type { Close } from "./Close.js"
import type { Limits } from "./Options.js"
import { ClientMessage, closeCodes, Opening } from "./Protocol.js"

const readOpening = Schema.decodeUnknownEither(Schema.parseJson(Opening))
const readMessage = Schema.decodeUnknownEither(Schema.parseJson(ClientMessage))

/** What a call takes: audio, and every message but a sign of life. */
export type Input = Uint8Array | Exclude<ClientMessage, { readonly _tag: "Ping" }>

/** Who is told what is for the socket itself. */
export interface Receivers {
  readonly onOpening: (opening: Opening) => void
  readonly onPing: () => void
}

/** `Opening`: nothing was said yet. `Beginning`: the call is not there yet. */
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

  /** When something came last. */
  get heardAt(): number {
    return this.#heardAt
  }

  /** From now on, all is for this call. */
  begin(receive: (input: Input) => Close | undefined): void {
    this.#phase = { _tag: "InCall", receive }
  }

  /** What is wrong with a message, if anything is. */
  take(data: string | Uint8Array, now: number): Close | undefined {
    this.#heardAt = now
    if (data.length > this.limits.maxMessageBytes) {
      return { code: closeCodes.tooLarge, reason: `A message may have ${this.limits.maxMessageBytes} bytes.` }
    }
    if (!this.#messages.take(1, now) || !this.#bytes.take(data.length, now)) {
      return { code: closeCodes.tooFast, reason: "Send less in a second." }
    }
    switch (this.#phase._tag) {
      case "Opening": {
        const read = typeof data === "string" ? readOpening(data) : undefined
        if (read === undefined || Either.isLeft(read)) return malformed("The first message is Start or Resume.")
        this.#phase = { _tag: "Beginning" }
        this.receivers.onOpening(read.right)
        return undefined
      }
      case "Beginning":
        return malformed("Wait for Welcome.")
      case "InCall": {
        if (typeof data !== "string") return this.#phase.receive(data)
        const read = readMessage(data)
        if (Either.isLeft(read)) return malformed("This is no message of the protocol.")
        if (read.right._tag !== "Ping") return this.#phase.receive(read.right)
        this.receivers.onPing()
        return undefined
      }
    }
  }
}
