/**
 * What a client must send again on its next socket: commands without an answer, and the latest playback reports. It has no
 * side effects.
 */
import * as Either from "effect/Either"
import { forgetOldest } from "../common/forgetOldest.js"
import type { Command, Played } from "../gateway/Protocol.js"
import { maxReports, maxWaiting, maxWaitingBytes } from "./bounds.js"
import { writeMessage } from "./wire.js"

/** A command without its number. */
export type Request = Command extends infer C ? (C extends Command ? Omit<C, "id"> : never) : never

/** The outcome of a command. `Over`: the call ended before there was an answer. */
export type Reply =
  | { readonly _tag: "Done"; readonly itemId?: string }
  | { readonly _tag: "Failed"; readonly error: { readonly _tag: string; readonly message: string } }
  | { readonly _tag: "Over" }

interface Waiting {
  readonly text: string
  readonly bytes: number
  readonly settle: (reply: Reply) => void
}

const encoder = new TextEncoder()

export class Outstanding {
  readonly #commands = new Map<number, Waiting>()
  readonly #reports = new Map<string, string>()
  #bytes = 0
  #latest = 0

  /**
   * Numbers a command. Returns the text to send, or why it cannot be sent.
   *
   * @param maxBytes the longest message that the gateway takes
   */
  add(
    request: Request,
    maxBytes: number,
    settle: (reply: Reply) => void
  ): Either.Either<string, "TooMany" | "TooLarge"> {
    const id = this.#latest + 1
    const text = writeMessage({ ...request, id })
    const bytes = encoder.encode(text).length
    if (bytes > maxBytes) return Either.left("TooLarge")
    // One command alone may always wait, and a call may always be ended.
    const mayWait = this.#commands.size === 0 || request._tag === "HangUp"
    const isFull = this.#commands.size >= maxWaiting || this.#bytes + bytes > maxWaitingBytes
    if (isFull && !mayWait) return Either.left("TooMany")
    this.#latest = id
    this.#bytes += bytes
    this.#commands.set(id, { text, bytes, settle })
    return Either.right(text)
  }

  /** Settles a command. A second answer to the same command is ignored. */
  answered(id: number, reply: Reply): void {
    const waiting = this.#commands.get(id)
    if (waiting === undefined) return
    this.#commands.delete(id)
    this.#bytes -= waiting.bytes
    waiting.settle(reply)
  }

  /** Remembers a report, instead of the previous one of the same part. Returns the text to send. */
  played(report: typeof Played.Type): string {
    const part = `${report.contentIndex} ${report.itemId}`
    const text = writeMessage(report)
    this.#reports.delete(part)
    this.#reports.set(part, text)
    forgetOldest(this.#reports, maxReports)
    return text
  }

  /** What to send first on another socket. The gateway ignores what it has received already. */
  get again(): ReadonlyArray<string> {
    return [...this.#reports.values(), ...Array.from(this.#commands.values(), ({ text }) => text)]
  }

  /** The call is over. */
  end(): void {
    for (const id of [...this.#commands.keys()]) this.answered(id, { _tag: "Over" })
  }
}
