/** What a user asks for in one turn: the calls, and what is missing for them. */
import type { FunctionTool } from "../Mind.js"
import { evidence, fill, type MomentsIn } from "./Arguments.js"
import { bestTool } from "./bestTool.js"
import { corrected } from "./corrected.js"
import { mentionsIn } from "./Mentions.js"
import { type Match, matches, overlap, type Span } from "./Span.js"
import { isQuestion, isRequest, isStopWord, split } from "./words.js"

/** A planned call. If nothing is missing, it can be made. */
export interface Wanted {
  readonly tool: FunctionTool
  readonly args: { readonly [name: string]: unknown }
  readonly missing: ReadonlyArray<string>
}

interface Clause extends Span {
  readonly tool: FunctionTool
  /** For "the weather in Paris and London", London: the same call with these arguments instead. */
  readonly instead: Wanted["args"] | undefined
  /** "Don't book a table": nothing is done, unless more is said about it: "turn it off". */
  readonly isRefused: boolean
}

const CLAUSE_END = /(?<=\w\w["”')]*)[.!?;]+\s+|,?\s+(?:and then|and also|and|then|also|but)\s+|,\s+/dgi

export const requestsIn = (
  sentence: string,
  tools: ReadonlyArray<FunctionTool>,
  momentsIn: MomentsIn
): ReadonlyArray<Wanted> => {
  const text = corrected(sentence, momentsIn)
  const clauses = clausesOf(text, tools, momentsIn).filter(({ isRefused }) => !isRefused)
  const requests = clauses.flatMap(({ end, instead, start, tool }, index): ReadonlyArray<Wanted> => {
    if (instead !== undefined) return []
    const { args, missing } = fill(text.slice(start, end), tool, momentsIn)
    const again: Array<Wanted> = []
    for (const next of clauses.slice(index + 1)) {
      if (next.instead === undefined) break
      const others = { ...args, ...next.instead }
      again.push({ tool, args: others, missing: missing.filter((name) => !Object.hasOwn(others, name)) })
    }
    return [{ tool, args, missing }, ...again]
  })
  return requests
}

/** Whether a turn that should answer a question asks for something else. */
export const asksAnew = (
  sentence: string,
  tools: ReadonlyArray<FunctionTool>,
  momentsIn: MomentsIn
): FunctionTool | undefined => (asks(sentence) ? bestTool(sentence, tools, momentsIn) : undefined)

/** Splits a sentence where the next request begins, and finds the tool of each clause. */
const clausesOf = (text: string, tools: ReadonlyArray<FunctionTool>, momentsIn: MomentsIn): ReadonlyArray<Clause> => {
  const clauses: Array<Clause> = []
  let unclaimed: number | undefined
  for (const { end, start, text: piece } of piecesOf(text, momentsIn)) {
    const last = clauses.at(-1)
    const tool = last === undefined || asks(piece) ? bestTool(piece, tools, momentsIn) : undefined
    if (tool !== undefined && !(last !== undefined && last.tool === tool && isAbout(piece))) {
      clauses.push({ start: unclaimed ?? start, end, tool, instead: undefined, isRefused: refuses(piece) })
      unclaimed = undefined
    } else if (last === undefined) {
      unclaimed ??= start
    } else {
      const whole = clauses.findLast(({ instead }) => instead === undefined) ?? last
      const instead = another(text.slice(whole.start, whole.end), piece, last.tool, momentsIn)
      if (instead !== undefined) clauses.push({ start, end, tool: last.tool, instead, isRefused: last.isRefused })
      else clauses[clauses.length - 1] = { ...last, end, isRefused: last.isRefused && (refuses(piece) || !asks(piece)) }
    }
  }
  if (clauses.length > 0) return clauses
  // Words that belong together may have been split: "rock and roll".
  const tool = bestTool(text, tools, momentsIn)
  return tool === undefined ? [] : [{ start: 0, end: text.length, tool, instead: undefined, isRefused: refuses(text) }]
}

/** The pieces between full stops, commas and "and", unless these are within a mention. */
const piecesOf = (text: string, momentsIn: MomentsIn): ReadonlyArray<Match> => {
  const whole = mentionsIn(text, momentsIn(text)).filter(({ _tag }) => _tag !== "Name")
  const pieces: Array<Match> = []
  let start = 0
  const push = (end: number) => {
    if (/\w/.test(text.slice(start, end))) pieces.push({ text: text.slice(start, end), start, end })
  }
  for (const cut of matches(text, CLAUSE_END)) {
    if (whole.some((mention) => mention.start < cut.start && cut.end < mention.end && overlap(mention, cut))) continue
    push(cut.start)
    start = cut.end
  }
  push(text.length)
  return pieces
}

const LEAD = /^\W*(?:(?:please|and|then|also|now|so|ok|okay|well|hey|hi|hello|never ?mind|actually|instead)\b\W*)*/i
const WISH =
  /^(?:i(?:'d| would)? (?:like|want|need|love)|i want you|can (?:you|i|we)|could (?:you|i|we)|would you|will you|let's|let me|don't|do not)\b\W*(?:to\b)?\W*/i

/**
 * Whether it asks for something: an order, a wish or a question. "She needs a cleaning" adds to the previous request.
 */
const asks = (piece: string): boolean => {
  const led = piece.replace(LEAD, "")
  if (WISH.test(led)) return true
  const [first = "", second = ""] = split(led)
  if (isQuestion(first)) return true
  return (
    isRequest(first) ||
    (isStopWord(first) &&
      !/^(?:i|my|she|he|it|we|they|her|his|our|the|a|an|for|in|to|at|on|of|from)$/i.test(first) &&
      isRequest(second))
  )
}

/** Whether it asks not to do something. */
export const refuses = (piece: string): boolean =>
  /^(?:i (?:don't|do not|never) (?:want|need|wish)|don't|do not|never)\b/i.test(piece.replace(LEAD, ""))

/** "turn it off" is about what was mentioned just before. */
const isAbout = (piece: string): boolean => split(piece).some((word) => /^(?:it|them|that|this|those)$/i.test(word))

/** A piece that only gives other values asks for the same call with these values. */
const another = (
  before: string,
  piece: string,
  tool: FunctionTool,
  momentsIn: MomentsIn
): Wanted["args"] | undefined => {
  const here = evidence(piece, tool, momentsIn)
  const names = Object.keys(here.args)
  if (names.length === 0 || !here.isAll) return undefined
  const there = evidence(before, tool, momentsIn).args
  const replaces = names.every(
    (name) => Object.hasOwn(there, name) && !Array.isArray(there[name]) && there[name] !== here.args[name]
  )
  return replaces ? here.args : undefined
}
