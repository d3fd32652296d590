import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/** A field for a failure of the application's code, which may hold secrets. */
export const withheld = {
  /** The failure of the application's code. It is printed as `<redacted>` and encoded as `null`; `Redacted.value` reads it. */
  reason: Schema.optional(
    Schema.transform(Schema.Null, Schema.RedactedFromSelf(Schema.Unknown), {
      strict: true,
      decode: () => Redacted.make<unknown>(undefined),
      encode: () => null
    })
  )
}
