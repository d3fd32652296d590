/**
 * Reports of progress. The official client hears of a result at once and of a report a moment later, so it loses the
 * reports that come in one piece with the result. Here they are taken from the transport, in the order in which they come.
 */
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import * as Predicate from "effect/Predicate"

export type OnReport = (report: unknown) => void

export class Reports {
  readonly #waiting = new Map<string, OnReport>()
  #tokens = 0

  /** Once the client has the transport. What is not waited for is left to the client. */
  constructor(transport: Transport) {
    const deliver = transport.onmessage
    transport.onmessage = (message, extra) => {
      if (!this.#isTaken(message)) deliver?.(message, extra)
    }
  }

  /** Returns the token that the server puts into its reports. */
  expect(onReport: OnReport): string {
    this.#tokens += 1
    const token = `progress_${this.#tokens}`
    this.#waiting.set(token, onReport)
    return token
  }

  forget(token: string): void {
    this.#waiting.delete(token)
  }

  #isTaken(message: unknown): boolean {
    if (!Predicate.isRecord(message) || message["method"] !== "notifications/progress") return false
    const { params } = message
    if (!Predicate.isRecord(params)) return false
    const { progressToken, ...report } = params
    const onReport = typeof progressToken === "string" ? this.#waiting.get(progressToken) : undefined
    onReport?.(report)
    return onReport !== undefined
  }
}
