import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../child.js"

/** What the source says of a constant, and of each field that its braces name or spread. */
export interface Documented {
  readonly text: string | undefined
  readonly fields: ReadonlyMap<string, string>
}

const prose = (comment: string): string =>
  comment
    .replace(/^\s*\/\*\*|\*\/\s*$/g, "")
    .replace(/^\s*\* ?/gm, "")
    .replace(/\s+/g, " ")
    .trim()

const comment = String.raw`(\/\*\*(?:[^*]|\*(?!\/))*\*\/\n\s*)?`

/**
 * The constants of a module of events, with those that it spreads from others. It reads the formatted source: a constant ends at a line that begins with its
 * closing brace, or where its own line does.
 */
export const commentsOf = (
  file: string,
  imported: ReadonlyMap<string, Documented> = new Map()
): ReadonlyMap<string, Documented> => {
  const source = readFileSync(join(root, file), "utf8")
  const found = new Map(imported)
  const constants = source.matchAll(
    new RegExp(String.raw`^${comment}(?:export )?const (\w+) = (.*(?<![{(])$|[\s\S]*?^[})].*$)`, "gm")
  )
  for (const [, text, name = "", body = ""] of constants) {
    const fields = new Map<string, string>()
    for (const [, spread = ""] of body.matchAll(/(?:\.\.\.|TaggedStruct\("\w+", )(\w+)\b/g)) {
      for (const [field, about] of found.get(spread)?.fields ?? []) fields.set(field, about)
    }
    for (const [, about, field = "", shared] of body.matchAll(new RegExp(`${comment}\\b(\\w+)(:|,?\\n)`, "g"))) {
      const said = about === undefined && shared !== ":" ? found.get(field)?.text : about && prose(about)
      if (said !== undefined) fields.set(field, said)
    }
    found.set(name, { text: text && prose(text), fields })
  }
  return found
}
