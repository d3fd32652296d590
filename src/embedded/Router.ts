/**
 * The default mind: no language model, but a small deterministic router. English only, and no free conversation.
 */
import * as Effect from "effect/Effect"
import * as LateResult from "../protocol/LateResult.js"
import { fill } from "./Arguments.js"
import { call, type FunctionTool, type Mind, type Part, type Parts, type Request, say } from "./Mind.js"
import { ask, listTools, speakOutput } from "./Phrases.js"
import { type MessageItem, type ServerItem, textOf } from "./ServerItem.js"
import { keywords, split, stem, synonyms } from "./words.js"

/** What a tool must score to be called: half of a word of its name, or more. */
const THRESHOLD = 1.5
/** What is read of a request, in characters: enough for a minute of speech. */
const MAX_SENTENCE = 2_000
const NAME_WEIGHT = 3
const DESCRIPTION_WEIGHT = 1
const SYNONYM_WEIGHT = 0.6

/**
 * Calls the tool whose name and description fit the sentence best, with arguments from its JSON schema; makes several
 * calls when the sentence asks for several things; and speaks the outputs. Its limits: English, and no free
 * conversation.
 *
 * @since 0.1.0
 * @category minds
 */
export const router: Mind = {
  start: Effect.succeed((request) => Effect.sync(() => route(request)))
}

/** What the router answers: the pure function behind `router`. */
export const route = (request: Request): Parts => {
  const { conversation } = request
  const lastSaid = conversation.findLastIndex((item) => item.type === "message" && item.role === "assistant")
  const lastCall = conversation.findLastIndex((item) => item.type === "function_call")
  const spoken = conversation.slice(lastSaid + 1).flatMap((item) => speakResult(conversation, item))
  const turns = conversation
    .slice(Math.max(lastSaid, lastCall) + 1)
    .flatMap((item) => (item.type === "message" && item.role === "user" ? [item] : []))
  const asked = turns.map(textOf)
  const parts: Array<Part> = spoken.length === 0 ? [] : [say(spoken.join(" "))]
  if (spoken.length === 0 && turns.length > 0 && turns.every(isSilence)) return [say("Are you still there?")]
  if (asked.length > 0) parts.push(...answer(asked.join(" ").slice(0, MAX_SENTENCE), request))
  if (parts.length > 0) return parts
  const forced = forcedCall("", request)
  if (forced !== undefined) return [forced]
  return [say(greeting(conversation, request.tools))]
}

/** Audio that is known to hold no words, as opposed to words that nobody wrote down. */
const isSilence = (item: MessageItem): boolean =>
  item.content.length > 0 && item.content.every((part) => part.type === "input_audio" && part.transcript === "")

/** The output of a call; or its late result, which a system message tells. */
const speakResult = (conversation: ReadonlyArray<ServerItem>, item: ServerItem): ReadonlyArray<string> => {
  if (item.type === "function_call_output") return [speakOutput(toolOf(conversation, item.call_id), item.output)]
  if (item.type !== "message" || item.role !== "system") return []
  const late = LateResult.parse(textOf(item))
  return late === undefined ? [] : [speakOutput(late.tool, late.output)]
}

const toolOf = (conversation: ReadonlyArray<ServerItem>, callId: string): string | undefined => {
  const item = conversation.find((candidate) => candidate.type === "function_call" && candidate.call_id === callId)
  return item?.type === "function_call" ? item.name : undefined
}

const greeting = (conversation: ReadonlyArray<ServerItem>, tools: ReadonlyArray<FunctionTool>): string => {
  const last = conversation.at(-1)
  // A system message in the middle is the application's word on what was just said.
  if (last?.type === "message" && last.role === "system" && conversation.length > 1) {
    return "Sorry, let me not go on with that. What else can I do for you?"
  }
  return tools.length === 0 ? "Hello." : `Hello. I can help with: ${listTools(tools.map((tool) => tool.name))}.`
}

interface Choice {
  readonly clause: string
  readonly tool: FunctionTool
}

const answer = (sentence: string, request: Request): Parts => {
  if (sentence.trim() === "") return [say("I heard you, but I have no transcript of what you said.")]
  const forced = forcedCall(sentence, request)
  if (forced !== undefined) return [forced]
  const choices = choose(sentence, request.tools)
  if (choices.length === 0) return [say(limits(sentence, request.tools))]
  const calls: Array<Part> = []
  const questions: Array<string> = []
  for (const { clause, tool } of choices) {
    const { args, missing } = fill(clause, tool)
    const [unknown] = missing
    if (unknown === undefined) calls.push(call(tool.name, args))
    else questions.push(ask(tool.name, unknown))
  }
  return calls.length > 0 ? calls : [say(questions.join(" "))]
}

const forcedCall = (sentence: string, { toolChoice, tools }: Request): Part | undefined => {
  if (toolChoice._tag !== "Required" && toolChoice._tag !== "Function") return undefined
  const tool =
    toolChoice._tag === "Function"
      ? tools.find(({ name }) => name === toolChoice.name)
      : (best(sentence, tools)?.tool ?? tools[0])
  return tool === undefined ? undefined : call(tool.name, fill(sentence, tool).args)
}

const limits = (sentence: string, tools: ReadonlyArray<FunctionTool>): string => {
  if (/^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening))\b/i.test(sentence) && split(sentence).length <= 4) {
    return greeting([], tools)
  }
  if (/\b(?:thanks|thank you|bye|goodbye)\b/i.test(sentence)) return "You are welcome."
  return tools.length === 0
    ? "I am a small offline model: without tools, there is little that I can do."
    : `I am a small offline model, and none of my tools fits that. I can help with: ${listTools(tools.map(({ name }) => name))}.`
}

/** Cuts a sentence where it asks for the next thing, and finds the tool of each piece. */
const choose = (sentence: string, tools: ReadonlyArray<FunctionTool>): ReadonlyArray<Choice> => {
  const pieces = sentence.split(/(?<=\w\w)[.!?;]+\s+|,?\s+(?:and then|and also|and|then|also)\s+|,\s+/i)
  const choices: Array<Choice> = []
  for (const piece of pieces) {
    if (piece.trim() === "") continue
    const found = best(piece, tools)
    const previous = choices.at(-1)
    if (found !== undefined) {
      choices.push({ clause: piece, tool: found.tool })
    } else if (previous !== undefined && isAnother(piece)) {
      choices.push({ clause: piece, tool: previous.tool })
    } else if (previous !== undefined) {
      choices[choices.length - 1] = { ...previous, clause: `${previous.clause} and ${piece}` }
    }
  }
  const whole = best(sentence, tools)
  // What belongs together may have been cut apart: "rock and roll".
  return choices.length === 0 && whole !== undefined ? [{ clause: sentence, tool: whole.tool }] : choices
}

/** `London` after "the weather in Paris and": the same again, for something else. */
const isAnother = (piece: string): boolean =>
  /^(?:(?:in|for|to|at|from|of)\s+)?\p{Lu}[\p{L}'’-]*(?:\s+\p{Lu}[\p{L}'’-]*)*[.!?]*$/u.test(piece.trim())

const best = (sentence: string, tools: ReadonlyArray<FunctionTool>): { readonly tool: FunctionTool } | undefined => {
  const known = tools.map((tool) => {
    const name = new Set([...split(tool.name)].map(stem))
    return {
      tool,
      name,
      description: keywords(`${tool.description} ${JSON.stringify(tool.parameters["properties"] ?? "")}`)
    }
  })
  const weigh = (word: string, { name, description }: (typeof known)[number]): number =>
    name.has(word) ? NAME_WEIGHT : description.has(word) ? DESCRIPTION_WEIGHT : 0
  let winner: { readonly tool: FunctionTool; readonly score: number } | undefined
  for (const candidate of known) {
    let score = 0
    for (const word of keywords(sentence)) {
      // A word that few tools know says more.
      const rarity = 1 + Math.log(known.length / Math.max(1, known.filter((other) => weigh(word, other) > 0).length))
      const akin = Math.max(0, ...synonyms(word).map((synonym) => weigh(synonym, candidate))) * SYNONYM_WEIGHT
      score += Math.max(weigh(word, candidate) * rarity, akin)
    }
    if (score >= THRESHOLD && score > (winner?.score ?? 0)) winner = { tool: candidate.tool, score }
  }
  return winner
}
