/** Sentences about the outputs of functions. */
import { isObject } from "../Shape.js"
import { split } from "./words.js"

const MAX_ELEMENTS = 5
/** The nesting that a listener can follow. */
const MAX_DEPTH = 4

const sentence = (text: string): string => {
  const trimmed = text.trim()
  return /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`
}

const capitalised = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

const label = (name: string): string => split(name).join(" ").toLowerCase()

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const spoken = (value: unknown, depth = 0): string => {
  if (depth > MAX_DEPTH) return "and so on"
  if (Array.isArray(value)) {
    if (value.length === 0) return "nothing"
    const more = value.length - MAX_ELEMENTS
    return (
      value
        .slice(0, MAX_ELEMENTS)
        .map((element) => spoken(element, depth + 1))
        .join("; ") + (more > 0 ? `; and ${more} more` : "")
    )
  }
  if (isObject(value)) {
    return Object.entries(value)
      .filter(([, field]) => field !== null && field !== undefined)
      .map(([key, field]) => `${label(key)}: ${spoken(field, depth + 1)}`)
      .join(", ")
  }
  if (typeof value === "boolean") return value ? "yes" : "no"
  return String(value)
}

/** Replaces the names of tools by their words. Other identifiers stay, because a user may need them letter by letter. */
const withWords = (text: string, tools: ReadonlyArray<string>): string =>
  tools.length === 0
    ? text
    : text.replace(/[A-Za-z0-9_-]+/g, (word) => (word.includes("_") && tools.includes(word) ? label(word) : word))

/**
 * A sentence about one output. Failures of tools have the form `{"error": {"message": …}}`.
 *
 * @param tool the tool that was called
 * @param tools the names of tools that the output may mention
 */
export const speakOutput = (tool: string | undefined, output: string, tools: ReadonlyArray<string> = []): string => {
  const value = parse(output)
  if (value === "" || value === null) return "Done."
  if (isObject(value)) {
    const error = value["error"]
    if (isObject(error)) {
      const message = typeof error["message"] === "string" ? error["message"] : spoken(error)
      const what = tool === undefined ? "that" : label(tool)
      return `Sorry, ${what} did not work: ${sentence(withWords(message, tools))}`
    }
    const assistant = value["assistant"]
    if (typeof assistant === "string" && Object.keys(value).length === 1) return `You are now talking to ${assistant}.`
    if (Object.keys(value).length === 0) return "Done."
  }
  if (value === true) return "Done."
  return sentence(capitalised(withWords(spoken(value), tools)))
}

/** Names of tools as a person would read them aloud. */
export const listTools = (names: ReadonlyArray<string>): string => names.slice(0, MAX_ELEMENTS).map(label).join(", ")

export const ask = (tool: string, property: string): string =>
  `To ${label(tool)}, I need to know: ${label(property)}. Can you tell me?`

/** Said before a question whose answer cannot be read. */
export const readsNoMoments =
  "I cannot read dates and times, because chrono-node is not installed: run npm install chrono-node."
