import type { Outcome } from "./Outcome.js"

export type JsonObject = { readonly [key: string]: unknown }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** One validation: how thorough it is, and how much of its budget is left. */
export interface Run {
  /** Whether to find every issue, or only the first one. */
  readonly all: boolean
  /** How many checks may still be made. */
  steps: number
  /** How many checks are being made within each other. */
  depth: number
}

export type Check = (value: unknown, run: Run) => Outcome

/** Where a keyword is. */
export interface Place {
  /** A schema for the same value, at these keys below this one. */
  readonly same: (schema: unknown, ...keys: ReadonlyArray<string | number>) => Check
  /** A schema for a part of the value. */
  readonly part: (schema: unknown, ...keys: ReadonlyArray<string | number>) => Check
  /** The keyword cannot have this value. */
  readonly malformed: (keyword: string, shouldBe: string) => undefined
  /** The condition is not understood: whether a value keeps it is unknown. */
  readonly notUnderstood: (keyword: string) => Check
}

/** Reads one keyword of a schema; `undefined` if it says nothing on its own, or is malformed. */
export type Keyword = (value: unknown, place: Place, schema: JsonObject) => Check | undefined

export type Keywords = { readonly [keyword: string]: Keyword }

/** A regular expression as JSON Schema means it; `undefined` if JavaScript cannot read it. */
export const regexOf = (source: string): RegExp | undefined => {
  for (const flags of ["u", ""]) {
    try {
      return new RegExp(source, flags)
    } catch {
      // Many patterns have escapes that only the older syntax allows.
    }
  }
  return undefined
}
