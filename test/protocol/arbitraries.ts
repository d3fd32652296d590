import * as Arbitrary from "effect/Arbitrary"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import type { ClientEvent, ServerEvent, ServerEventType } from "../../src/Protocol.js"
import { clientEventSchemas, serverEventSchemas } from "../../src/Protocol.js"

/** What JSON keeps of a value: no `-0`, no prototypes. */
const throughJson = <A>(value: A): A => JSON.parse(JSON.stringify(value))

const arbitraryOf = <Event>(schema: { readonly ast: Schema.Schema<Event>["ast"] }): fc.Arbitrary<Event> =>
  Arbitrary.make(Schema.make<Event>(schema.ast)).map(throughJson)

export const serverEvents: ReadonlyArray<readonly [string, fc.Arbitrary<ServerEvent>]> = Object.entries(
  serverEventSchemas
).map(([type, schema]) => [type, arbitraryOf<ServerEvent>(schema)])

export const clientEvents: ReadonlyArray<readonly [string, fc.Arbitrary<ClientEvent>]> = Object.entries(
  clientEventSchemas
).map(([type, schema]) => [type, arbitraryOf<ClientEvent>(schema)])

export const serverEvent = (type: ServerEventType): fc.Arbitrary<ServerEvent> =>
  arbitraryOf<ServerEvent>(serverEventSchemas[type])

type Path = ReadonlyArray<string | number>

const isContainer = (value: unknown): value is object => typeof value === "object" && value !== null

/** The paths of all fields and elements, however deep. */
export const pathsOf = (value: unknown): ReadonlyArray<Path> =>
  isContainer(value)
    ? Object.entries(value).flatMap(([name, inner]) => {
        const key = Array.isArray(value) ? Number(name) : name
        return [[key], ...pathsOf(inner).map((path) => [key, ...path])]
      })
    : []

export type Mutation = { readonly _tag: "Delete" } | { readonly _tag: "Replace"; readonly value: unknown }

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.constant<Mutation>({ _tag: "Delete" }),
  // What throws when it is turned into text is as good JSON as any.
  fc
    .oneof({ arbitrary: fc.jsonValue(), weight: 4 }, fc.constant({ toString: 1, valueOf: 1 }))
    .map((value): Mutation => ({ _tag: "Replace", value }))
)

/** A copy of a value with one field or element deleted or replaced. */
export const mutate = (value: unknown, [key, ...rest]: Path, change: Mutation): unknown => {
  if (key === undefined) return change._tag === "Replace" ? throughJson(change.value) : value
  if (!isContainer(value)) return value
  const entries = Object.entries(value).flatMap(([name, inner]): ReadonlyArray<readonly [string, unknown]> => {
    if (name !== String(key)) return [[name, inner]]
    return rest.length === 0 && change._tag === "Delete" ? [] : [[name, mutate(inner, rest, change)]]
  })
  return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries)
}
