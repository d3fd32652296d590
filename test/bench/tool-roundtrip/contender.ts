import { WebSocket } from "ws"
import type { Order, Report } from "../Process.js"

/** What every contender does in a call: nothing but to tell that its handler has begun. */
export interface Meter {
  /** A promise where the run is over: the call is answered when the next one begins. */
  readonly handlerStarted: () => Promise<void> | undefined
}

export interface Contender {
  /** Says something, upon which the model calls the tool for the first time. */
  readonly begin: () => void
  readonly close: () => Promise<void>
}

interface Clock extends Meter {
  readonly requestSent: () => void
  /** Measures so many calls from here on. */
  readonly measure: (samples: number, resume: () => void) => Promise<Extract<Report, { readonly _tag: "Ran" }>>
}

const makeClock = (): Clock => {
  let sentAt = 0
  let startedAt = 0
  let left = 0
  let samples: Array<number> = []
  let finished: (report: Extract<Report, { readonly _tag: "Ran" }>) => void = () => undefined
  let release: (() => void) | undefined
  return {
    requestSent: () => {
      sentAt = performance.now()
    },
    handlerStarted: () => {
      const now = performance.now()
      samples.push(now - sentAt)
      left -= 1
      if (left > 0) return undefined
      finished({ _tag: "Ran", samples, elapsedMs: now - startedAt })
      return new Promise((resolve) => {
        release = resolve
      })
    },
    measure: (count, begin) =>
      new Promise((resolve) => {
        finished = resolve
        samples = []
        left = count
        startedAt = performance.now()
        if (release === undefined) begin()
        else release()
      })
  }
}

/** All contenders send through `ws`, so the moment of sending is the same for all. */
const watchSends = (sent: () => void): void => {
  const { send } = WebSocket.prototype
  const watched = function (this: WebSocket, ...args: Parameters<WebSocket["send"]>): void {
    if (typeof args[0] === "string" && args[0].includes('"response.create"')) sent()
    send.apply(this, args)
  }
  // `send` has overloads, which a function that passes on whatever it gets can not have.
  WebSocket.prototype.send = watched as WebSocket["send"]
}

/**
 * Warms up on a connection of its own, connects anew, and then runs as many calls as it is told, again and again, in
 * one conversation.
 */
export const contend = async (connect: (url: string, meter: Meter) => Promise<Contender>): Promise<void> => {
  const [url = "", warmUp = "0"] = process.argv.slice(2)
  const report = (message: Report): void => void process.send?.(message)
  let clock = makeClock()
  watchSends(() => clock.requestSent())
  process.on("disconnect", () => process.exit(0))

  if (Number(warmUp) > 0) {
    const contender = await connect(url, clock)
    await clock.measure(Number(warmUp), contender.begin)
    await contender.close()
  }
  clock = makeClock()
  const contender = await connect(url, clock)
  // The other end is this package's own code.
  process.on("message", async (message) => report(await clock.measure((message as Order).samples, contender.begin)))
  report({ _tag: "Ready" })
}

export const instructions = "Call lookup, again and again."
export const tool = { name: "lookup", description: "Looks a step up" } as const
export const userText = "Go on."
