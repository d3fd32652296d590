/** What callers say in these tests, and what the model makes of it. */
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"

/** A function that the model is to call in a turn, and how long its handler takes. */
export interface Wanted {
  readonly tool: "note" | "book" | "look" | "pay" | "ship"
  readonly ms: number
}

/** What a caller says: the model is to call these functions, and then to say that the turn is done. */
export const words = (call: string, turn: number, wanted: ReadonlyArray<Wanted> = []): string =>
  `${call} turn ${turn}: ${wanted.map(({ ms, tool }) => `${tool} ${ms}`).join(", ")}`

/** What the model says at the end of a turn. */
export const done = (call: string, turn: number): string => `${call} turn ${turn} is done.`

const said = /^(\S+) turn (\d+): ?(.*)$/
const finished = /^(\S+) turn (\d+) is done\.$/

/** Whether these words say that a turn is done. */
export const isDone = (text: string): boolean => finished.test(text)

export interface Turn {
  readonly call: string
  readonly turn: number
  readonly wanted: string
}

/** The words of a caller, read again. */
export const turnOf = (item: EmbeddedRealtime.ServerItem | undefined): Turn | undefined => {
  if (item?.type !== "message" || item.role !== "user") return undefined
  const [part] = item.content
  const [, call, turn, wanted = ""] = part?.type === "input_text" ? (said.exec(part.text) ?? []) : []
  return call === undefined ? undefined : { call, turn: Number(turn), wanted }
}

/** The turn that the model says is done. */
export const doneBy = (item: EmbeddedRealtime.ServerItem): number | undefined => {
  if (item.type !== "message" || item.role !== "assistant" || item.status !== "completed") return undefined
  const [part] = item.content
  const text = part?.type === "output_text" ? part.text : part?.type === "output_audio" ? part.transcript : ""
  const turn = finished.exec(text)?.[2]
  return turn === undefined ? undefined : Number(turn)
}

/**
 * It has no memory: the conversation alone says what comes next, so it goes on wherever another node has brought the
 * call to.
 */
export const mind: EmbeddedRealtime.Mind = EmbeddedRealtime.fromFunction((conversation) => {
  const at = conversation.findLastIndex((item) => turnOf(item) !== undefined)
  const turn = turnOf(conversation[at])
  if (turn === undefined) return [EmbeddedRealtime.say("I am listening.")]
  const isAnswered = conversation.slice(at).some(({ type }) => type === "function_call_output")
  if (turn.wanted === "" || isAnswered) return [EmbeddedRealtime.say(done(turn.call, turn.turn))]
  return turn.wanted.split(", ").map((one) => {
    const [name = "", ms] = one.split(" ")
    return EmbeddedRealtime.call(name, { call: turn.call, turn: turn.turn, ms: Number(ms) })
  })
})
