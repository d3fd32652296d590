/**
 * The schemas that refer to themselves, by name.
 */
import type * as AST from "effect/SchemaAST"
import type { JsonObject } from "./constraint.js"
import { finished, type Told } from "./told.js"

/** A schema while its parts are told: one of them may be itself. */
interface Open {
  readonly ast: AST.AST
  readonly name: string
  readonly identifier: string | undefined
  isUsed: boolean
}

/** So many suspended schemas within each other, all new, are one that makes itself anew each time. */
const maxOpen = 32

const reference = (name: string): JsonObject => ({ $ref: `#/$defs/${name}` })

export class Definitions {
  readonly #all: { [name: string]: JsonObject } = {}
  readonly #names = new Map<AST.AST, string>()
  readonly #open: Array<Open> = []

  /** What references lead to, by name. */
  all(): { readonly [name: string]: JsonObject } {
    return this.#all
  }

  get isEndless(): boolean {
    return this.#open.length >= maxOpen
  }

  /** A reference to a schema that was told, or that this is a part of. */
  find(ast: AST.AST, identifier: string | undefined): JsonObject | undefined {
    const name = this.#names.get(ast)
    if (name !== undefined) return reference(name)
    // A schema made of another one, its type side for instance, is a new value at each turn: then its name tells.
    const open = this.#open.find(
      (one) => one.ast === ast || (identifier !== undefined && one.identifier === identifier)
    )
    if (open === undefined) return undefined
    open.isUsed = true
    return reference(open.name)
  }

  /** Tells a schema: by a reference, if it refers to itself, else as it is. */
  within(ast: AST.AST, identifier: string | undefined, tell: () => Told | undefined): Told | undefined {
    const open: Open = { ast, name: this.#nameFor(identifier), identifier, isUsed: false }
    this.#open.push(open)
    const told = tell()
    this.#open.pop()
    if (!open.isUsed || told === undefined) return told
    this.#all[open.name] = finished(told)
    this.#names.set(ast, open.name)
    return { schema: reference(open.name), said: [], notes: {} }
  }

  #nameFor(identifier: string | undefined): string {
    const base = (identifier ?? "Recursive").replace(/[^a-zA-Z0-9_-]+/g, "_")
    const isTaken = (name: string) => Object.hasOwn(this.#all, name) || this.#open.some((open) => open.name === name)
    let name = base
    for (let count = 2; isTaken(name); count += 1) name = `${base}${count}`
    return name
  }
}
