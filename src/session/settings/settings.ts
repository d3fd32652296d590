/**
 * Finds settings that a server would refuse, before they are sent.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import type * as Agent from "../../Agent.js"
import { shown } from "../../options/shown.js"
import { guard } from "../../protocol/fields.js"
import { RealtimeSession } from "../../protocol/SessionConfig.js"
import type { SettingsProblem } from "../../SessionError.js"
import { type Context, child, limits, rules, strays } from "./settingRules.js"

export type { Context }

/** What is wrong with a setting, in words that follow its name. */
export const problem = (param: string, what: string): SettingsProblem => ({ param, message: `${param} ${what}` })

const expected = (ast: AST.AST): string => {
  switch (ast._tag) {
    case "TypeLiteral":
      return "an object"
    case "TupleType":
      return "a list"
    case "Literal":
      return JSON.stringify(ast.literal)
    case "Union":
      return Array.from(new Set(membersOf(ast).map(expected))).join(" or ")
    default:
      return Option.getOrElse(AST.getDescriptionAnnotation(ast), () => String(ast))
  }
}

const mismatch = (ast: AST.AST, value: unknown, param: string): ReadonlyArray<SettingsProblem> => {
  const wanted = limits.get(param)?.wanted ?? expected(ast)
  return [problem(param, `should be ${wanted}, but is ${shown(value)}.`)]
}

const missing = (param: string): ReadonlyArray<SettingsProblem> => [
  problem(param, "is missing, but it is required there.")
]

const inspect = (ast: AST.AST, value: unknown, param: string, context: Context): ReadonlyArray<SettingsProblem> => {
  const broken = rules.get(param)?.(value, context)
  const problems = broken === undefined ? [] : [problem(param, broken)]
  const misshapen = inspectShape(ast, value, param, context)
  if (misshapen.length > 0) return problems.concat(misshapen)
  return limits.get(param)?.holds?.(value) === false ? problems.concat(mismatch(ast, value, param)) : problems
}

const inspectShape = (
  ast: AST.AST,
  value: unknown,
  param: string,
  context: Context
): ReadonlyArray<SettingsProblem> => {
  switch (ast._tag) {
    case "TypeLiteral":
      return Predicate.isRecord(value) ? inspectFields(ast, value, param, context) : mismatch(ast, value, param)
    case "TupleType":
      if (!Array.isArray(value)) return mismatch(ast, value, param)
      return value.flatMap((element: unknown, index) =>
        ast.rest.flatMap(({ type }) => inspect(type, element, `${param}[${index}]`, context))
      )
    case "Union":
      return inspectMember(ast, value, param, context)
    default:
      return guard(Schema.make(ast))(value) ? [] : mismatch(ast, value, param)
  }
}

/** An `undefined` field counts as left out, because JSON has no `undefined`. */
const inspectFields = (
  ast: AST.TypeLiteral,
  value: { readonly [key: PropertyKey]: unknown },
  param: string,
  context: Context
): ReadonlyArray<SettingsProblem> => {
  const fields = new Map(ast.propertySignatures.map((field) => [field.name, field]))
  const [entry] = ast.indexSignatures
  const present = Object.keys(value).filter((key) => value[key] !== undefined)
  const absent = [...fields.values()].filter(
    ({ isOptional, name }) => !isOptional && child(value, String(name)) === undefined
  )
  return present
    .flatMap((key): ReadonlyArray<SettingsProblem> => {
      const here = `${param}.${key}`
      const type = fields.get(key)?.type ?? entry?.type
      if (type !== undefined) return inspect(type, value[key], here, context)
      const advice = strays.get(here) ?? `is not a setting; the settings here are ${[...fields.keys()].join(", ")}.`
      return [problem(here, advice)]
    })
    .concat(absent.flatMap(({ name }) => missing(`${param}.${String(name)}`)))
}

const membersOf = (ast: AST.AST): ReadonlyArray<AST.AST> => (AST.isUnion(ast) ? ast.types.flatMap(membersOf) : [ast])

/**
 * For a union, only problems with the intended member are reported. The `type` of an object tells which one that is.
 */
const inspectMember = (
  ast: AST.Union,
  value: unknown,
  param: string,
  context: Context
): ReadonlyArray<SettingsProblem> => {
  if (guard(Schema.make(ast))(value) && !Predicate.isRecord(value)) return []
  const objects = membersOf(ast).filter(AST.isTypeLiteral)
  const [first, second] = objects
  if (!Predicate.isRecord(value) || first === undefined) return mismatch(ast, value, param)
  if (second === undefined) return inspectShape(first, value, param, context)
  const types = objects.map((object) => object.propertySignatures.find(({ name }) => name === "type")?.type)
  const type = child(value, "type")
  const meant = objects.find((_, index) => types[index] !== undefined && guard(Schema.make(types[index]))(type))
  if (meant !== undefined) return inspectShape(meant, value, param, context)
  const here = `${param}.type`
  const options = AST.Union.make(types.filter((option) => option !== undefined))
  return type === undefined ? missing(here) : mismatch(options, type, here)
}

const settingsAst = RealtimeSession.omit("type", "instructions", "tools", "model").ast

/**
 * Every reason for which a server would refuse the settings. Names of voices and models are not checked, and no rule
 * for models applies to a model that is not known.
 *
 * @since 0.1.0
 * @category validation
 */
export const problemsOf = (settings: Agent.Settings, context: Context): ReadonlyArray<SettingsProblem> =>
  inspect(settingsAst, settings, "session", context)
