/** The tools of a server, as it lists them. */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { Discreet } from "./Link.js"
import { maxListed, maxNameLength, maxPages } from "./limits.js"

/**
 * What a server says about a tool. Nothing of it is checked, and none of it waives an approval.
 *
 * @since 0.1.0
 * @category models
 */
export interface Hints {
  /** The tool changes nothing. */
  readonly readOnly: boolean
  /** The tool may destroy what there is. */
  readonly destructive: boolean
  /** Another call with the same arguments changes nothing more. */
  readonly idempotent: boolean
  /** The tool reaches beyond the server, such as into the web. */
  readonly openWorld: boolean
}

/**
 * A tool of a server.
 *
 * @since 0.1.0
 * @category models
 */
export interface ListedTool {
  /** Its name at the server. */
  readonly name: string
  readonly description: string
  /** The JSON Schema of its arguments, as the server gave it. */
  readonly inputSchema: object
  readonly hints: Hints
}

/**
 * A tool of a server that the model does not get, and why.
 *
 * @since 0.1.0
 * @category models
 */
export interface SkippedTool {
  readonly name: string
  readonly reason: string
}

export interface Listing {
  readonly tools: ReadonlyArray<ListedTool>
  readonly skipped: ReadonlyArray<SkippedTool>
}

const hint = (annotations: unknown, name: string, otherwise: boolean): boolean => {
  const value = Predicate.isRecord(annotations) ? annotations[name] : undefined
  return typeof value === "boolean" ? value : otherwise
}

const read = (entry: unknown, index: number, discreet: Discreet): ListedTool | SkippedTool => {
  if (!Predicate.isRecord(entry) || typeof entry["name"] !== "string" || entry["name"] === "") {
    return { name: `(number ${index + 1})`, reason: "It has no name." }
  }
  const { annotations, description, execution, inputSchema, name } = entry
  if (name.length > maxNameLength) {
    return { name: name.slice(0, maxNameLength), reason: `Its name is longer than ${maxNameLength} characters.` }
  }
  if (discreet.result(name) !== name) {
    return { name: discreet.result(name), reason: "Its name has a secret in it that the server was given." }
  }
  if (Predicate.isRecord(execution) && execution["taskSupport"] === "required") {
    return { name, reason: "It only runs as a task, which no call can wait for." }
  }
  // One that nests too deeply is not offered at all.
  const schema = discreet.data(inputSchema) ?? inputSchema
  if (!Predicate.isRecord(schema)) return { name, reason: "It has no schema of its arguments." }
  return {
    name,
    description: typeof description === "string" ? discreet.result(description) : "",
    inputSchema: schema,
    hints: {
      readOnly: hint(annotations, "readOnlyHint", false),
      destructive: hint(annotations, "destructiveHint", true),
      idempotent: hint(annotations, "idempotentHint", false),
      openWorld: hint(annotations, "openWorldHint", true)
    }
  }
}

const isSkipped = (entry: ListedTool | SkippedTool): entry is SkippedTool => "reason" in entry

interface Page {
  readonly answer: { readonly [key: string]: unknown }
  readonly discreet: Discreet
}

/** Reads page after page. An entry that is not valid hides no other. */
export const listing = <E>(page: (cursor: string | undefined) => Effect.Effect<Page, E>): Effect.Effect<Listing, E> =>
  Effect.gen(function* () {
    const tools = new Map<string, ListedTool>()
    const skipped: Array<SkippedTool> = []
    let cursor: string | undefined
    let count = 0
    for (let pages = 0; pages < maxPages; pages += 1) {
      const { answer, discreet } = yield* page(cursor)
      const { nextCursor, tools: entries } = answer
      for (const one of Array.isArray(entries) ? entries : []) {
        if (count >= maxListed) {
          const reason = `Only ${maxListed.toLocaleString("en-US")} tools are read.`
          return { tools: [...tools.values()], skipped: [...skipped, { name: "(more)", reason }] }
        }
        const entry = read(one, count, discreet)
        count += 1
        if (isSkipped(entry)) skipped.push(entry)
        else if (tools.has(entry.name)) skipped.push({ name: entry.name, reason: "Another tool has the same name." })
        else tools.set(entry.name, entry)
      }
      if (typeof nextCursor !== "string" || nextCursor === cursor) return { tools: [...tools.values()], skipped }
      cursor = nextCursor
    }
    return {
      tools: [...tools.values()],
      skipped: [...skipped, { name: "(more)", reason: `Only ${maxPages} pages are read.` }]
    }
  })
