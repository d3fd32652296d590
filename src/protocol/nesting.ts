/**
 * Values that came as JSON from elsewhere, and are written as JSON again, or logged. Reading has no limit, and writing
 * recurses: it throws where a value nests some thousand levels deep.
 */
import { parse } from "./parse.js"

/** Far deeper than any event, schema or result. */
export const maxNesting = 500

/** Not JSON: a call with such arguments is answered as one with invalid arguments, and never runs without them. */
const unwritten = "(values that nest too deeply to be written)"

type Container = { [key: string]: unknown }

const isContainer = (value: unknown): value is Container => typeof value === "object" && value !== null

/**
 * Visits what is deeper than `maxNesting`, until it returns `true`. Not recursive, and not slow: it looks at each value once.
 */
const visitDeepest = (value: unknown, visit: (parent: Container, key: string) => boolean): void => {
  let level = isContainer(value) ? [value] : []
  for (let depth = 1; level.length > 0; depth += 1) {
    const next: Array<Container> = []
    for (const parent of level) {
      for (const key of Object.keys(parent)) {
        const child = parent[key]
        if (!isContainer(child)) continue
        if (depth < maxNesting) next.push(child)
        else if (visit(parent, key)) return
      }
    }
    level = next
  }
}

export const nestsTooDeeply = (value: unknown): boolean => {
  let isDeep = false
  visitDeepest(value, () => {
    isDeep = true
    return true
  })
  return isDeep
}

/** The value as JSON, if it can be written. */
export const jsonText = (value: unknown): string => (nestsTooDeeply(value) ? unwritten : JSON.stringify(value))

/** Parses JSON from elsewhere. What is too deep becomes a text that says so. Throws if it is not JSON. */
export const parseJson = (text: string): unknown => {
  const value = parse(text)
  // Each level has two brackets.
  if (text.length > 2 * maxNesting) {
    visitDeepest(value, (parent, key) => {
      parent[key] = unwritten
      return false
    })
  }
  return value
}
