/** The schemas that refer to themselves, by name. */
import type * as AST from "effect/SchemaAST"
import type { JsonObject } from "./constraint.js"
import { finished, type Told } from "./told.js"

/** A schema whose parts are being translated: one of them may be the schema itself. */
interface Open {
  readonly ast: AST.AST
  readonly name: string
  readonly identifier: string | undefined
  isUsed: boolean
}

/** This many nested suspended schemas, all new, mean a schema that creates itself anew each time. */
const maxOpen = 32

const reference = (name: string): JsonObject => ({ $ref: `#/$defs/${name}` })

export class Definitions {
  readonly #all: { [name: string]: JsonObject } = {}
  readonly #names = new Map<AST.AST, string>()
  readonly #open: Array<Open> = []

  /** The targets of references, by name. */
  all(): { readonly [name: string]: JsonObject } {
    return this.#all
  }

  get isEndless(): boolean {
    return this.#open.length >= maxOpen
  }

  /** A reference to a schema that was translated, or that contains this one. */
  find(ast: AST.AST, identifier: string | undefined): JsonObject | undefined {
    const name = this.#names.get(ast)
    if (name !== undefined) return reference(name)
    // A schema that is derived from another one, such as its type side, is a new value each time: then its name
    // decides.
    const open = this.#open.find(
      (one) => one.ast === ast || (identifier !== undefined && one.identifier === identifier)
    )
    if (open === undefined) return undefined
    open.isUsed = true
    return reference(open.name)
  }

  /** Translates a schema: as a reference if it refers to itself, otherwise as it is. */
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
