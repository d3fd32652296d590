/** Conversion of units of measure. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Tool } from "effect-realtime"

type Kind = "length" | "mass" | "volume"

/** How much of its kind's base unit (metre, kilogram, litre) one of it is: the international definitions. */
const units: { readonly [name: string]: { readonly kind: Kind; readonly factor: number } } = {
  meter: { kind: "length", factor: 1 },
  kilometer: { kind: "length", factor: 1000 },
  mile: { kind: "length", factor: 1609.344 },
  kilogram: { kind: "mass", factor: 1 },
  pound: { kind: "mass", factor: 0.453_592_37 },
  liter: { kind: "volume", factor: 1 },
  pint: { kind: "volume", factor: 0.473_176_473 }
}

export class UnitUnknown extends Schema.TaggedError<UnitUnknown>()("UnitUnknown", {
  unit: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `I do not know the unit ${JSON.stringify(this.unit)}.`
  }
}

export class UnitsIncompatible extends Schema.TaggedError<UnitsIncompatible>()("UnitsIncompatible", {
  from: Schema.String,
  to: Schema.String
}) {
  override get message(): string {
    return `${this.from} can not be turned into ${this.to}: they measure different things.`
  }
}

const find = (name: string) => {
  const singular = name.trim().toLowerCase().replace(/s$/, "")
  const unit = Object.hasOwn(units, singular) ? units[singular] : undefined
  return unit === undefined ? new UnitUnknown({ unit: name, known: Object.keys(units) }) : Effect.succeed(unit)
}

export const convertUnits = Tool.make("convert_units", {
  description: "Converts an amount from one unit of measure into another",
  parameters: { amount: Schema.Number, from: Schema.String, to: Schema.String },
  failure: Schema.Union(UnitUnknown, UnitsIncompatible),
  handler: ({ amount, from, to }) =>
    Effect.gen(function* () {
      const [source, target] = yield* Effect.all([find(from), find(to)])
      if (source.kind !== target.kind) return yield* new UnitsIncompatible({ from, to })
      const converted = (amount * source.factor) / target.factor
      return `${amount} ${from} are ${Number(converted.toPrecision(4))} ${to}.`
    })
})
