/** The model's behaviour in these tests, and the users' words. */
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"

/** What a user says: the model is to call these functions, and then to say that the turn is done. */
export const turn = (n: number, functions: ReadonlyArray<string>): string => `Turn ${n}: ${functions.join(", ")}`

/** What the model says at the end of a turn. */
export const done = (n: number): string => `Turn ${n} is done.`

const asked = /^Turn (\d+): ?(.*)$/

const textOf = (item: EmbeddedRealtime.ServerItem | undefined): string | undefined => {
  if (item?.type !== "message" || item.role !== "user") return undefined
  const [part] = item.content
  return part?.type === "input_text" ? part.text : undefined
}

/**
 * It has no memory: the conversation alone says what comes next, so it goes on wherever a new connection, or another
 * process, has brought it to.
 */
export const mind: EmbeddedRealtime.Mind = EmbeddedRealtime.fromFunction((conversation) => {
  const at = conversation.findLastIndex((item) => item.type === "message" && item.role === "user")
  const [, n, list = ""] = asked.exec(textOf(conversation[at]) ?? "") ?? []
  if (n === undefined) return [EmbeddedRealtime.say("I am listening.")]
  const functions = list === "" ? [] : list.split(", ")
  const isAnswered = conversation.slice(at).some(({ type }) => type === "function_call_output")
  if (isAnswered || functions.length === 0) return [EmbeddedRealtime.say(done(Number(n)))]
  return functions.map((name) => EmbeddedRealtime.call(name, { turn: Number(n) }))
})
