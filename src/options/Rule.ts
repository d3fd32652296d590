/** Rules for the values of options, and the messages about values that break them. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { type OptionProblem, OptionsInvalid } from "./OptionsInvalid.js"
import { shown } from "./shown.js"

/** Bounds are included. */
export type Rule =
  /** A whole number; `Infinity` too, if `most` is infinite. */
  | { readonly _tag: "Count"; readonly least: number; readonly most: number }
  /** `least` is in milliseconds. */
  | { readonly _tag: "Time"; readonly least: number; readonly orNever: boolean }
  /** More than zero. */
  | { readonly _tag: "Factor" }
  | { readonly _tag: "Word"; readonly words: ReadonlyArray<string> }
  /** Not empty, with at most this many UTF-16 code units. */
  | { readonly _tag: "Text"; readonly most: number }
  /** A wrong value is not shown: it may be the secret itself. */
  | { readonly _tag: "Secret"; readonly orEffect: boolean }

/** JavaScript timers hold 31 bits of milliseconds: a longer timer would never fire. */
export const longestDays = 24

const longest = Duration.toMillis(Duration.days(longestDays))

export const count = (least: number, most = Number.POSITIVE_INFINITY): Rule => ({ _tag: "Count", least, most })

/** @param least in milliseconds */
export const time = (least: number): Rule => ({ _tag: "Time", least, orNever: false })

/** @param least in milliseconds */
export const timeOrNever = (least: number): Rule => ({ _tag: "Time", least, orNever: true })

export const factor: Rule = { _tag: "Factor" }

export const word = (...words: ReadonlyArray<string>): Rule => ({ _tag: "Word", words })

export const text = (most: number): Rule => ({ _tag: "Text", most })

export const secret: Rule = { _tag: "Secret", orEffect: false }

export const secretOrEffect: Rule = { _tag: "Secret", orEffect: true }

/** A rule for each option that has limits, by name. The name of an option inside another is `outer.inner`. */
export type RulesFor<O> = {
  readonly [K in keyof O as [Extract<O[K], number>] extends [never] ? never : K]-?: Rule
} & { readonly [name: string]: Rule }

/**
 * Finds every invalid option. An option that is left out has its default, which is always valid.
 *
 * @param of the constructor that was given the options, such as `Session.make`
 * @param together problems of options that are valid one by one, but not together
 */
export const validate = <O extends object>(
  of: string,
  rules: RulesFor<O>,
  options: O,
  together: (options: O) => ReadonlyArray<OptionProblem> = () => []
): Either.Either<void, OptionsInvalid> => {
  const each = Object.entries<Rule>(rules).flatMap(([option, rule]): ReadonlyArray<OptionProblem> => {
    const value = valueAt(options, option)
    if (value === undefined || holds(rule, value)) return []
    const is = rule._tag === "Secret" && typeof value === "string" ? "plain text" : shown(value)
    return [{ option, value: is, message: `\`${option}\` should be ${wanted(rule)}, but is ${is}.` }]
  })
  const problems = each.length === 0 ? together(options) : each
  return problems.length === 0 ? Either.void : Either.left(new OptionsInvalid({ of, problems }))
}

/** For constructors that are not effects: an invalid option is a mistake in the program, and is thrown. */
export const validateOrThrow = <O extends object>(of: string, rules: RulesFor<O>, options: O): void =>
  Either.getOrThrowWith(validate(of, rules, options), (error) => error)

const valueAt = (options: object, path: string): unknown => {
  let value: unknown = options
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined
    value = Reflect.get(value, key)
  }
  return value
}

const holds = (rule: Rule, value: unknown): boolean => {
  switch (rule._tag) {
    case "Count":
      return (
        typeof value === "number" &&
        value >= rule.least &&
        value <= rule.most &&
        (Number.isInteger(value) || value === Number.POSITIVE_INFINITY)
      )
    case "Time": {
      const ms = millisecondsOf(value)
      if (ms === undefined) return false
      return ms === Number.POSITIVE_INFINITY ? rule.orNever : ms >= rule.least && ms <= longest
    }
    case "Factor":
      return typeof value === "number" && value > 0
    case "Word":
      return typeof value === "string" && rule.words.includes(value)
    case "Text":
      return typeof value === "string" && value !== "" && value.length <= rule.most
    case "Secret":
      return Redacted.isRedacted(value) || (rule.orEffect && Effect.isEffect(value))
  }
}

/** `Duration.decode` turns negative values and `NaN` into zero. Here they are invalid. */
const millisecondsOf = (value: unknown): number | undefined => {
  const parts: ReadonlyArray<unknown> = Array.isArray(value) ? value : [value]
  if (parts.some((part) => (typeof part === "number" || typeof part === "bigint") && !(part >= 0))) return undefined
  if (typeof value === "string" && value.startsWith("-")) return undefined
  return Option.getOrUndefined(Option.map(Duration.decodeUnknown(value), Duration.toMillis))
}

/** Describes what the option should be. */
export const wanted = (rule: Rule): string => {
  switch (rule._tag) {
    case "Count": {
      const range = `a whole number from ${rule.least.toLocaleString("en-US")}`
      return Number.isFinite(rule.most)
        ? `${range} to ${rule.most.toLocaleString("en-US")}`
        : `${range} up, or Infinity for no limit`
    }
    case "Time": {
      const least = rule.least === 0 ? "0" : Duration.format(Duration.millis(rule.least))
      const range = `a duration from ${least} to ${longestDays} days, such as "10 seconds"`
      return rule.orNever ? `${range}, or Infinity` : range
    }
    case "Factor":
      return "a number above 0"
    case "Word":
      return rule.words.map((one) => JSON.stringify(one)).join(" or ")
    case "Text":
      return `text of 1 to ${rule.most} characters`
    case "Secret":
      return `made with Redacted.make${rule.orEffect ? ", or an Effect that returns that" : ""}`
  }
}
