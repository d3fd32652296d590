/**
 * Interprets an instruction from a response request or a system message. It understands a few plain forms, and recognizes
 * that it does not understand the others.
 */

export type Instruction =
  /** To say these words. */
  | { readonly _tag: "Say"; readonly words: string }
  | { readonly _tag: "Greet" }
  | { readonly _tag: "Apologise" }
  /** To ask the user for something: "your name". */
  | { readonly _tag: "AskFor"; readonly what: string }
  /** Not to do or say something. */
  | { readonly _tag: "Decline" }
  | { readonly _tag: "Unknown" }

/** How much of an instruction is read, in characters. */
const MAX_LENGTH = 2_000

const WHO = "(?:to )?(?:(?:the|your) )?(?:caller|user|customer|client|guest|visitor|person|them|him|her)"
const NOT = "(?<!(?:\\b(?:not|never|cannot)|n['’]t) )"
const QUOTED = new RegExp(
  `${NOT}\\b(?:say|tell|answer|reply|respond|announce|repeat|ask)\\b[^"“.]*["“]([^"”]+)["”]`,
  "i"
)
const AFTER_COLON = new RegExp(`${NOT}\\b(?:say|tell|inform|announce|repeat|ask)\\b[^:."“]*:\\s+(\\S.*)$`, "is")
const THAT = new RegExp(
  `${NOT}\\b(?:(?:say|explain|announce|answer|reply)(?: ${WHO})?|(?:tell|inform) ${WHO}|let ${WHO} know) that\\s+([^\\s.!?][^.!?]*)`,
  "i"
)
const ASK_FOR = new RegExp(`${NOT}\\bask ${WHO} for\\s+([^\\s.!?][^.!?]*)`, "i")
const GREET = new RegExp(`${NOT}\\b(?:greet|welcome|introduce yourself|say (?:hello|hi))\\b`, "i")
const APOLOGISE = new RegExp(`${NOT}\\b(?:apologi[sz]e|say (?:that you are )?sorry)\\b`, "i")
const DECLINE = /\b(?:decline|refuse|avoid|do not|don['’]t|never|(?:must|may|can|should) ?not|can['’]t|not allowed)\b/i

export const read = (text: string): Instruction => {
  const instruction = text.slice(0, MAX_LENGTH).trim()
  const words = (QUOTED.exec(instruction) ?? AFTER_COLON.exec(instruction))?.[1]
  if (words !== undefined) return { _tag: "Say", words: sentence(words) }
  if (APOLOGISE.test(instruction)) return { _tag: "Apologise" }
  const told = THAT.exec(instruction)?.[1]
  if (told !== undefined) return { _tag: "Say", words: sentence(ofOneself(told)) }
  const what = ASK_FOR.exec(instruction)?.[1]
  if (what !== undefined) return { _tag: "AskFor", what: what.trim().replace(/\b(?:their|his|her)\b/gi, "your") }
  if (GREET.test(instruction)) return { _tag: "Greet" }
  return DECLINE.test(instruction) ? { _tag: "Decline" } : { _tag: "Unknown" }
}

/** "you cannot help" is said as "I cannot help". */
const ofOneself = (told: string): string =>
  told
    .trim()
    .replace(/\byou are\b/gi, "I am")
    .replace(/\byou(?=['’])/gi, "I")
    .replace(/\bI['’]re\b/g, "I'm")
    .replace(/\byourself\b/gi, "myself")
    .replace(/\byour\b/gi, "my")
    .replace(/\byou\b/gi, "I")

const sentence = (text: string): string => {
  const trimmed = text.trim()
  const begun = trimmed.slice(0, 1).toUpperCase() + trimmed.slice(1)
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`
}
