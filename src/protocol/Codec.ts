/**
 * Converts frames to events and back. Nothing here throws, whatever arrives.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as AST from "effect/SchemaAST"
import { Append } from "./Append.js"
import { type ClientEvent, clientEventSchemas } from "./ClientEvent.js"
import { isDelta } from "./Delta.js"
import { parse } from "./parse.js"
import { salvage } from "./Salvage.js"
import { type ServerEvent, serverEventSchemas } from "./ServerEvent.js"
import { compile } from "./Validator.js"
import { excerptOf, explain, type Violation } from "./Violation.js"

/**
 * The result of decoding a frame from the server.
 *
 * - `Known`: an event that this version knows, including any unknown fields.
 * - `Salvaged`: an event of a known type with invalid fields, reduced to the valid ones.
 * - `Unknown`: an event of a type that this version does not know.
 * - `Malformed`: not JSON, not an object, without a type, too large, or with nothing to salvage.
 *
 * @since 0.1.0
 * @category models
 */
export type ServerFrame =
  | { readonly _tag: "Known"; readonly event: ServerEvent }
  | { readonly _tag: "Salvaged"; readonly event: ServerEvent; readonly violation: Violation }
  | { readonly _tag: "Unknown"; readonly type: string; readonly event: unknown }
  | { readonly _tag: "Malformed"; readonly violation: Violation }

/**
 * The longest frame that is parsed, in characters: 16 × 1024 × 1024, slightly more than the 15 MiB that the protocol
 * allows for the audio of one event.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultMaxFrameLength = 16 * 1024 * 1024

/**
 * @since 0.1.0
 * @category models
 */
export interface DecodeOptions {
  /** Longer frames, in characters, are `Malformed` and not parsed. Default: `defaultMaxFrameLength`. */
  readonly maxFrameLength?: number | undefined
}

type Json = { readonly [key: string]: unknown }

interface Opened {
  readonly type: string
  readonly json: Json
}

interface Check<Event> {
  readonly schema: Schema.Schema<Event>
  readonly is: (value: unknown) => value is Event
}

const open = (text: string, options: DecodeOptions | undefined): Either.Either<Opened, Violation> => {
  const violation = (message: string, type?: string): Either.Either<never, Violation> =>
    Either.left({ type, path: undefined, message, excerpt: excerptOf(text) })
  const limit = options?.maxFrameLength ?? defaultMaxFrameLength
  if (text.length > limit) {
    return violation(
      `The frame has ${text.length} characters; at most ${limit} are read. Raise maxFrameLength to read it.`
    )
  }
  let json: unknown
  try {
    json = parse(text)
  } catch {
    return violation("The frame is not JSON.")
  }
  if (!Predicate.isRecord(json)) return violation("The frame is JSON, but not an object.")
  const type = json["type"]
  return typeof type === "string" ? Either.right({ type, json }) : violation("The frame has no type.")
}

/**
 * Checks of values against schemas, compiled on first use. The protocol's schemas do not transform anything: a value
 * that passes its check *is* the event, and keeps fields that the schema does not know.
 */
const checks = <Event>(schemas: { readonly [type: string]: { readonly ast: AST.AST } }) => {
  const compiled = new Map<string, Check<Event>>()
  return (type: string): Check<Event> | undefined => {
    const known = compiled.get(type)
    if (known !== undefined || !Object.hasOwn(schemas, type)) return known
    const source = schemas[type]
    if (source === undefined) return undefined
    // By its AST, because schemas are invariant: the schemas of a union's members have no common type.
    const schema = Schema.make<Event>(source.ast)
    const check = { schema, is: compile(schema) }
    compiled.set(type, check)
    return check
  }
}

const serverCheck = checks<ServerEvent>(serverEventSchemas)
const clientCheck = checks<ClientEvent>(clientEventSchemas)

/**
 * Reads one frame from a server.
 *
 * @example
 * import { decodeServerFrame } from "effect-realtime/Protocol"
 *
 * const frame = decodeServerFrame('{"type":"input_audio_buffer.cleared","event_id":"event_1"}')
 * // { _tag: "Known", event: { type: "input_audio_buffer.cleared", event_id: "event_1" } }
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeServerFrame = (text: string, options?: DecodeOptions): ServerFrame => {
  const opened = open(text, options)
  if (Either.isLeft(opened)) return { _tag: "Malformed", violation: opened.left }
  const { json, type } = opened.right
  if (isDelta(json)) return { _tag: "Known", event: json }
  const check = serverCheck(type)
  if (check === undefined) return { _tag: "Unknown", type, event: json }
  if (check.is(json)) return { _tag: "Known", event: json }
  const violation = explain(check.schema, type, json, text)
  const salvaged = salvage(check.schema, type, json)
  return check.is(salvaged) ? { _tag: "Salvaged", event: salvaged, violation } : { _tag: "Malformed", violation }
}

/**
 * Reads one frame from a client, strictly.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeClientEvent = (text: string, options?: DecodeOptions): Either.Either<ClientEvent, Violation> =>
  Either.flatMap(open(text, options), ({ json, type }) => {
    const check = clientCheck(type)
    if (check === undefined) {
      const known = Object.keys(clientEventSchemas).join(", ")
      const message = `'${type.slice(0, 100)}' is not a client event. Send one of ${known}.`
      return Either.left({ type, path: "type", message, excerpt: excerptOf(text) })
    }
    return check.is(json) ? Either.right(json) : Either.left(explain(check.schema, type, json, text))
  })

/**
 * Events already have the shape of the wire, so no schema is needed here.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encodeClientEvent = (event: ClientEvent): string =>
  event instanceof Append ? event.text : JSON.stringify(event)

/**
 * @since 0.1.0
 * @category encoding
 */
export const encodeServerEvent = (event: ServerEvent): string => JSON.stringify(event)
