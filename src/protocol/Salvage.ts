/**
 * Reduces an event that does not fit its schema. If a server changes one field, a session must not lose the end of a
 * response, or a call.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { guard } from "./fields.js"
import { jsonText } from "./nesting.js"
import type { ServerEventType } from "./ServerEvent.js"

type Json = { readonly [key: string]: unknown }

/** The events without which a state machine would wait forever, or act on a wrong state. */
const salvageable: ReadonlySet<string> = new Set<ServerEventType>([
  "response.created",
  "response.done",
  "response.output_item.added",
  "response.output_item.done",
  "conversation.item.added",
  "conversation.item.created",
  "conversation.item.done",
  "session.created",
  "session.updated",
  "error",
  "input_audio_buffer.speech_started",
  "input_audio_buffer.speech_stopped"
])

/**
 * The values for required fields that are missing or have the wrong type: they mean "not known", and are never guessed.
 */
const defaults: Json = {
  arguments: "",
  audio_end_ms: 0,
  audio_start_ms: 0,
  content: [],
  item_id: "",
  message: "",
  name: "",
  output: "",
  output_index: 0,
  response_id: ""
}

const record = (value: unknown): Json => (Predicate.isRecord(value) ? value : {})

const isInputPart = (part: unknown): boolean => {
  const type = record(part)["type"]
  return typeof type === "string" && type.startsWith("input_")
}

const repairItem = (item: unknown): unknown => {
  if (!Predicate.isRecord(item)) return item
  const { arguments: args, content, role, type } = item
  if (type === "function_call" && typeof args !== "string" && Predicate.isNotNullable(args)) {
    return { ...item, arguments: jsonText(args) }
  }
  if (type === "message" && typeof role !== "string") {
    return { ...item, role: Array.isArray(content) && content.some(isInputPart) ? "user" : "assistant" }
  }
  return item
}

const repair = (type: string, event: Json): Json => {
  switch (type) {
    case "response.created":
    case "response.done": {
      const response = record(event["response"])
      const output = response["output"]
      return {
        ...event,
        response: { ...response, ...(Array.isArray(output) ? { output: output.map(repairItem) } : {}) }
      }
    }
    case "session.created":
    case "session.updated": {
      const session = record(event["session"])
      return {
        ...event,
        session: { ...session, type: session["type"] === "transcription" ? "transcription" : "realtime" }
      }
    }
    case "error": {
      const error: Json = typeof event["error"] === "string" ? { message: event["error"] } : record(event["error"])
      return { ...event, error: { ...error, type: typeof error["type"] === "string" ? error["type"] : "unknown" } }
    }
    default:
      return "item" in event ? { ...event, item: repairItem(event["item"]) } : event
  }
}

/** The parts of a value that fit, put together; none if no part can stand for the value. */
const reduce = (ast: AST.AST, value: unknown): Option.Option<unknown> => {
  if (fits(ast, value)) return Option.some(value)
  switch (ast._tag) {
    case "Union": {
      const containers = ast.types.filter((member) => AST.isTypeLiteral(member) || AST.isTupleType(member))
      return Option.firstSomeOf(containers.map((member) => reduce(member, value)))
    }
    case "TypeLiteral":
      return Predicate.isRecord(value) ? reduceFields(ast, value) : Option.none()
    case "TupleType":
      return Array.isArray(value) ? Option.some(reduceElements(ast, value)) : Option.none()
    default:
      return Option.none()
  }
}

const fits = (ast: AST.AST, value: unknown): boolean => guard(Schema.make(ast))(value)

const reduceElements = (ast: AST.TupleType, value: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
  value.flatMap((element) => ast.rest.flatMap(({ type }) => Option.toArray(reduce(type, element))))

const reduceFields = (ast: AST.TypeLiteral, value: Json): Option.Option<unknown> => {
  const reduced: { [key: string]: unknown } = {}
  for (const field of ast.propertySignatures) {
    const name = String(field.name)
    const part = Object.hasOwn(value, name) ? reduce(field.type, value[name]) : Option.none()
    if (Option.isSome(part)) reduced[name] = part.value
    else if (field.isOptional) continue
    else if (!AST.isLiteral(field.type) && Object.hasOwn(defaults, name)) reduced[name] = defaults[name]
    else return Option.none()
  }
  for (const { type } of ast.indexSignatures) {
    for (const [name, entry] of Object.entries(value)) {
      if (fits(type, entry))
        Object.defineProperty(reduced, name, { value: entry, enumerable: true, configurable: true })
    }
  }
  return Option.some(reduced)
}

/**
 * Reduces an event to the fields that fit. Check the result against the schema again: if too little is left, it is
 * `undefined` or still does not fit.
 *
 * @since 0.1.0
 * @category decoding
 */
export const salvage = <Event>(schema: Schema.Schema<Event>, type: string, event: Json): unknown => {
  if (!salvageable.has(type)) return undefined
  return Option.getOrUndefined(reduce(schema.ast, repair(type, event)))
}
