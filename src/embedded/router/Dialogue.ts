/** Requests that could not be carried out yet. They connect a question from the router with the user's answer. */
import type { FunctionTool } from "../Mind.js"
import { type ServerItem, textOf } from "../ServerItem.js"
import { answerTo, type MomentsIn } from "./Arguments.js"
import { FREE, isMoment } from "./Candidates.js"
import { propertiesOf } from "./JsonSchema.js"
import { ask } from "./Phrases.js"
import { asksAnew, requestsIn, type Wanted } from "./Requests.js"

/** How many items of the conversation are read: a question rarely has more before it. */
const MAX_ITEMS = 40
/** How many characters of a request are read: enough for a minute of speech. */
const MAX_SENTENCE = 2_000

/** What the user wants now: calls that can be made, and calls that still lack something. */
export interface State {
  readonly ready: ReadonlyArray<Wanted>
  readonly open: ReadonlyArray<Wanted>
}

const nothing: State = { ready: [], open: [] }

/** The state of the dialogue after all items of the conversation. */
export const stateOf = (
  conversation: ReadonlyArray<ServerItem>,
  tools: ReadonlyArray<FunctionTool>,
  momentsIn: MomentsIn
): State => {
  let state = nothing
  let turn: Array<string> = []
  const endTurn = () => {
    const sentence = turn.join(" ").slice(0, MAX_SENTENCE)
    turn = []
    if (sentence.trim() !== "") state = heard(state, sentence, tools, momentsIn)
  }
  for (const item of conversation.slice(-MAX_ITEMS)) {
    if (item.type === "message" && item.role === "user") turn.push(textOf(item))
    else if (item.type === "function_call") endTurn()
    else if (item.type === "message" && item.role === "assistant") {
      endTurn()
      state = said(state, textOf(item))
    }
  }
  endTurn()
  return state
}

/** The question about the first open call, if there is one. */
export const questionOf = ({ open }: State): string | undefined => {
  const [first] = open
  const asked = first?.missing[0]
  return first === undefined || asked === undefined ? undefined : ask(first.tool.name, asked)
}

/** Whether that question asks for a date or a time of day. */
export const asksForMoment = ({ open: [first] }: State): boolean =>
  first !== undefined &&
  propertiesOf(first.tool.parameters).some((property) => property.name === first.missing[0] && isMoment(property))

/** A question only stands if the user heard it. Speech that was cut off may lack its end, or be missing entirely. */
const said = (state: State, text: string): State => {
  const question = questionOf(state)
  const spoken = text.trim()
  const isPut = question !== undefined && (spoken.endsWith(question) || question.startsWith(spoken))
  return { ready: [], open: isPut ? state.open : [] }
}

const FORGET = /\b(?:never ?mind|forget (?:it|that)|cancel that|stop)\b/i

const heard = (state: State, sentence: string, tools: ReadonlyArray<FunctionTool>, momentsIn: MomentsIn): State => {
  const [first, ...later] = state.open
  const asked = first?.missing[0]
  if (first === undefined || asked === undefined) return sorted(requestsIn(sentence, tools, momentsIn))
  const other = asksAnew(sentence, tools, momentsIn)
  if (FORGET.test(sentence)) return other === undefined ? nothing : sorted(requestsIn(sentence, tools, momentsIn))
  // A message may say "call me back", but a city is not a request.
  if (other !== undefined && other.name !== first.tool.name && !FREE.test(asked)) {
    return sorted(requestsIn(sentence, tools, momentsIn))
  }
  const { args, missing } = answerTo(asked, sentence, first.tool, first.args, momentsIn)
  return sorted([{ tool: first.tool, args, missing }, ...later])
}

const sorted = (wanted: ReadonlyArray<Wanted>): State => ({
  ready: wanted.filter(({ missing }) => missing.length === 0),
  open: wanted.filter(({ missing }) => missing.length > 0)
})
