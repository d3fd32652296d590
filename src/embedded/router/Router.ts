/** The default mind: not a language model, but a small deterministic router. English only, and no free conversation. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as LateResult from "../../protocol/LateResult.js"
import { inOrder } from "../inOrder.js"
import { call, type FunctionTool, type Mind, type Part, type Parts, type Request, say } from "../Mind.js"
import { type MessageItem, type ServerItem, textOf } from "../ServerItem.js"
import { fill, type MomentsIn } from "./Arguments.js"
import { bestTool } from "./bestTool.js"
import { load } from "./chrono.js"
import { asksForMoment, questionOf, stateOf } from "./Dialogue.js"
import * as Instruction from "./Instruction.js"
import type { FindMoments } from "./Moments.js"
import { listTools, readsNoMoments, speakOutput } from "./Phrases.js"
import { refuses } from "./Requests.js"
import { split } from "./words.js"

/**
 * Calls the tool whose name and description fit the sentence best, with arguments from its JSON schema. It makes
 * several calls if the sentence asks for several things, asks for required arguments that the sentence does not give,
 * and speaks the outputs. It takes the day and the hour from the `Clock`, in this machine's time zone, and reads dates
 * and times with `chrono-node`, an optional peer. Its limits: English only, and no free conversation.
 *
 * @since 0.1.0
 * @category minds
 */
export const router: Mind = {
  start: Effect.map(
    load,
    (find) => (request) =>
      Stream.fromIterableEffect(Effect.map(Clock.currentTimeMillis, (now) => route(request, find, new Date(now))))
  )
}

/** The answer of the router: the pure function behind `router`. Without `find`, it reads no dates, and says so. */
export const route = (request: Request, find: FindMoments | undefined, now: Date): Parts => {
  const { ownInstructions, toolChoice, tools } = request
  const conversation = inOrder(request)
  const own = ownInstructions === undefined ? undefined : Instruction.read(ownInstructions)
  // If it may not call tools, it only speaks to a user who waits. The request itself is answered later.
  if (own?._tag === "Say") return [say(own.words, toolChoice._tag === "None" ? { phase: "commentary" } : {})]
  const momentsIn = remembering((text) => find?.(text, now) ?? [])
  const lastSaid = conversation.findLastIndex((item) => item.type === "message" && item.role === "assistant")
  const lastCall = conversation.findLastIndex((item) => item.type === "function_call")
  const spoken = conversation.slice(lastSaid + 1).flatMap((item) => speakResult(conversation, item, tools))
  const turns = conversation
    .slice(Math.max(lastSaid, lastCall) + 1)
    .flatMap((item) => (item.type === "message" && item.role === "user" ? [item] : []))
  if (spoken.length === 0 && turns.length > 0 && turns.every(isSilence)) return [say("Are you still there?")]

  const sentence = turns.map(textOf).join(" ")
  const forced = forcedCall(sentence, request, momentsIn)
  if (forced !== undefined && (turns.length > 0 || spoken.length === 0)) return [...sayAll(spoken), forced]
  const word = lastWord(conversation)
  const wanted = word === undefined ? undefined : obeyed(Instruction.read(word), tools)
  if (wanted !== undefined) return sayAll([...spoken, wanted])

  const state = stateOf(conversation, tools, momentsIn)
  const calls = turns.length === 0 ? [] : state.ready.map(({ args, tool }) => call(tool.name, args))
  if (calls.length > 0) return [...sayAll(spoken), ...calls]
  // What is still missing in a turn is asked for after the rest of the turn is done.
  const question =
    turns.length === 0 && spoken.length === 0 && (own !== undefined || word !== undefined)
      ? undefined
      : questionOf(state)
  if (question !== undefined) {
    return sayAll([...spoken, ...(find === undefined && asksForMoment(state) ? [readsNoMoments] : []), question])
  }
  if (turns.length > 0) return [...sayAll(spoken), say(limits(sentence, tools))]
  if (spoken.length > 0) return sayAll(spoken)
  if (own !== undefined) return [say(obeyed(own, tools) ?? notUnderstood(tools))]
  return [say(word === undefined ? greeting(tools) : letGo)]
}

/** A sentence is read several times: for its tool, for its clauses, for their arguments. */
const remembering = (momentsIn: MomentsIn): MomentsIn => {
  const known = new Map<string, ReturnType<MomentsIn>>()
  return (text) => {
    const found = known.get(text) ?? momentsIn(text)
    known.set(text, found)
    return found
  }
}

const sayAll = (sentences: ReadonlyArray<string>): Parts => (sentences.length === 0 ? [] : [say(sentences.join(" "))])

/** Audio that is known to contain no words, as opposed to words without a transcript. */
const isSilence = (item: MessageItem): boolean =>
  item.content.length > 0 && item.content.every((part) => part.type === "input_audio" && part.transcript === "")

/** The output of a call, or its late result from a system message. */
const speakResult = (
  conversation: ReadonlyArray<ServerItem>,
  item: ServerItem,
  tools: ReadonlyArray<FunctionTool>
): ReadonlyArray<string> => {
  const speak = (tool: string | undefined, output: string): ReadonlyArray<string> => {
    const names = tools.map(({ name }) => name)
    return [speakOutput(tool, output, tool === undefined ? names : [...names, tool])]
  }
  if (item.type === "function_call_output") return speak(toolOf(conversation, item.call_id), item.output)
  if (item.type !== "message" || item.role !== "system") return []
  const late = LateResult.parse(textOf(item))
  return late === undefined ? [] : speak(late.tool, late.output)
}

const toolOf = (conversation: ReadonlyArray<ServerItem>, callId: string): string | undefined => {
  const item = conversation.find((candidate) => candidate.type === "function_call" && candidate.call_id === callId)
  return item?.type === "function_call" ? item.name : undefined
}

const forcedCall = (sentence: string, { toolChoice, tools }: Request, momentsIn: MomentsIn): Part | undefined => {
  if (toolChoice._tag !== "Required" && toolChoice._tag !== "Function") return undefined
  const tool =
    toolChoice._tag === "Function"
      ? tools.find(({ name }) => name === toolChoice.name)
      : (bestTool(sentence, tools, momentsIn) ?? tools[0])
  return tool === undefined ? undefined : call(tool.name, fill(sentence, tool, momentsIn).args)
}

/** A system message at the end, after other items, is the application's instruction about what was just said. */
const lastWord = (conversation: ReadonlyArray<ServerItem>): string | undefined => {
  const last = conversation.at(-1)
  if (last?.type !== "message" || last.role !== "system" || conversation.length === 1) return undefined
  const text = textOf(last)
  return LateResult.parse(text) === undefined ? text : undefined
}

const letGo = "Sorry, let me not go on with that. What else can I do for you?"

/** The reply to an instruction, if the router can follow it. */
const obeyed = (instruction: Instruction.Instruction, tools: ReadonlyArray<FunctionTool>): string | undefined => {
  switch (instruction._tag) {
    case "Say":
      return instruction.words
    case "Greet":
      return greeting(tools)
    case "Apologise":
      return "I am sorry about that. What else can I do for you?"
    case "AskFor":
      return `Can you tell me ${instruction.what}?`
    case "Decline":
      return letGo
    case "Unknown":
      return undefined
  }
}

const greeting = (tools: ReadonlyArray<FunctionTool>): string => ["Hello.", ...helpsWith(tools)].join(" ")

const notUnderstood = (tools: ReadonlyArray<FunctionTool>): string =>
  ["I am a small offline model, and I do not understand that instruction.", ...helpsWith(tools)].join(" ")

const helpsWith = (tools: ReadonlyArray<FunctionTool>): ReadonlyArray<string> =>
  tools.length === 0 ? [] : [`I can help with: ${listTools(tools.map(({ name }) => name))}.`]

const limits = (sentence: string, tools: ReadonlyArray<FunctionTool>): string => {
  if (sentence.trim() === "") return "I heard you, but I have no transcript of what you said."
  if (/^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening))\b/i.test(sentence) && split(sentence).length <= 4) {
    return greeting(tools)
  }
  if (refuses(sentence)) return "All right."
  if (/\b(?:thanks|thank you|bye|goodbye)\b/i.test(sentence)) return "You are welcome."
  return tools.length === 0
    ? "I am a small offline model: without tools, there is little that I can do."
    : ["I am a small offline model, and none of my tools fits that.", ...helpsWith(tools)].join(" ")
}
