/**
 * Finds the tool whose name and description fit a sentence best.
 */

import type { FunctionTool } from "../Mind.js"
import { isObject } from "../Shape.js"
import { evidence, type MomentsIn } from "./Arguments.js"
import { propertiesOf } from "./JsonSchema.js"
import { descriptionKeywords, keywords, split, stem, synonyms } from "./words.js"

/** The score that a tool needs to be called: half of a word of its name, or more. */
const THRESHOLD = 1.5
const NAME_WEIGHT = 3
const DESCRIPTION_WEIGHT = 1
/** The value of an argument, such as a day of the week, may be meant for another tool. */
const VALUE_WEIGHT = 0.5
const SYNONYM_WEIGHT = 0.6
/** Tools below this fraction of the best score are ignored. */
const CLOSE = 0.6

interface Known {
  readonly tool: FunctionTool
  readonly name: ReadonlySet<string>
  readonly description: ReadonlySet<string>
  readonly values: ReadonlySet<string>
}

export const bestTool = (
  sentence: string,
  tools: ReadonlyArray<FunctionTool>,
  momentsIn: MomentsIn
): FunctionTool | undefined => {
  const known = tools.map(knownOf)
  // "Tell me" asks, but "tell Ann" sends a message.
  const said = keywords(sentence.replace(/\btell me\b/gi, " "))
  // A word that few tools have weighs more.
  const rarity = (word: string) =>
    1 + Math.log(known.length / Math.max(1, known.filter((one) => weigh(word, one) > 0).length))
  const scored = known.map((one) => {
    let score = 0
    for (const word of said) {
      const akin = synonyms(word).map((synonym) => weigh(synonym, one) * rarity(synonym) * SYNONYM_WEIGHT)
      score += Math.max(weigh(word, one) * rarity(word), ...akin)
    }
    return { tool: one.tool, score }
  })
  const best = Math.max(...scored.map(({ score }) => score), 0)
  if (best < THRESHOLD) return undefined
  const close = scored.filter(({ score }) => score >= THRESHOLD && score >= best * CLOSE)
  // Among tools with similar scores, the one whose arguments the sentence gives.
  const [winner] = close
    .map(({ score, tool }) => ({
      tool,
      score: close.length === 1 ? score : score * (1 + given(sentence, tool, momentsIn))
    }))
    .sort((one, other) => other.score - one.score)
  return winner?.tool
}

const knownOf = (tool: FunctionTool): Known => {
  const properties = tool.parameters["properties"]
  return {
    tool,
    name: new Set(split(tool.name).map(stem)),
    description: descriptionKeywords(`${tool.description} ${wordsOf(properties, "about").join(" ")}`),
    values: keywords(wordsOf(properties, "values").join(" "))
  }
}

const MAX_DEPTH = 8

/** The names and descriptions of properties, or their possible values, at any depth. */
const wordsOf = (schema: unknown, which: "about" | "values", depth = 0): ReadonlyArray<string> => {
  if (depth > MAX_DEPTH) return []
  if (Array.isArray(schema)) return schema.flatMap((one) => wordsOf(one, which, depth + 1))
  if (!isObject(schema)) return []
  return Object.entries(schema).flatMap(([key, value]) => {
    if (key === "enum" || key === "const") return which === "values" ? [JSON.stringify(value)] : []
    if (key === "description" && typeof value === "string") return which === "about" ? [value] : []
    const inner = wordsOf(value, which, depth + 1)
    return which === "about" && isObject(value) ? [key, ...inner] : inner
  })
}

const weigh = (word: string, { description, name, values }: Known): number =>
  name.has(word) ? NAME_WEIGHT : description.has(word) ? DESCRIPTION_WEIGHT : values.has(word) ? VALUE_WEIGHT : 0

/** At most one half: the fraction of required arguments that the sentence gives. */
const given = (sentence: string, tool: FunctionTool, momentsIn: MomentsIn): number => {
  const required = propertiesOf(tool.parameters).filter((property) => property.required).length
  const { missing } = evidence(sentence, tool, momentsIn)
  return required === 0 ? 0.25 : (0.5 * (required - missing.length)) / required
}
