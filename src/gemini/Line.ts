import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { ServerEvent } from "../protocol/ServerEvent.js"
import type { Step } from "../realtimeModel/Dialect.js"
import type { Frame } from "../realtimeModel/Frame.js"
import type { Json } from "./Wire.js"

/** Why Gemini cannot be sent an event. */
export interface Refusal {
  readonly code: string
  readonly message: string
  readonly param?: string
}

/** What leaves the border on either side, and the order of the conversation. */
export class Line {
  readonly #prefix: string
  #ids = 0
  #last: string | null = null
  #send: Array<string> = []
  #frames: Array<Frame> = []
  #end: Step["end"]

  /** `prefix`: of all ids on this connection. */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** The last item of the conversation. */
  get last(): string | null {
    return this.#last
  }

  newId(kind: string): string {
    this.#ids += 1
    return `${kind}_${this.#prefix}_${this.#ids}`
  }

  /** This item is now the last. Returns the one before. */
  follow(itemId: string): string | null {
    const before = this.#last
    this.#last = itemId
    return before
  }

  /** A message for Gemini. */
  tell(message: Json): void {
    this.#send.push(JSON.stringify(message))
  }

  /** An event for the session. */
  emit(event: ServerEvent): void {
    this.#frames.push({ _tag: "Known", event })
  }

  give(frame: Frame): void {
    this.#frames.push(frame)
  }

  refuse({ event_id }: ClientEvent, { code, message, param }: Refusal): void {
    const error = {
      type: "invalid_request_error",
      code,
      message,
      ...(param === undefined ? {} : { param }),
      ...(event_id === undefined ? {} : { event_id })
    }
    this.emit({ type: "error", error })
  }

  /** What no event of the protocol says is passed on as it came. */
  unknown(what: string, event: Json): void {
    this.give({ _tag: "Unknown", type: `gemini.${what}`, event })
  }

  /** The connection ends, and the session takes another one. */
  end(reason: string, message: string): void {
    this.#end ??= { code: 1001, reason, message }
  }

  /** Everything since the last time. */
  take(): Step {
    const step: Step = {
      send: this.#send,
      frames: this.#frames,
      ...(this.#end === undefined ? {} : { end: this.#end })
    }
    this.#send = []
    this.#frames = []
    this.#end = undefined
    return step
  }
}
