import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/**
 * What went wrong in code of the application's, which may hold anything: printed as `<redacted>`, and encoded as `null`.
 * `Redacted.value` gives it to who is to know.
 */
export const withheld = {
  reason: Schema.optional(
    Schema.transform(Schema.Null, Schema.RedactedFromSelf(Schema.Unknown), {
      strict: true,
      decode: () => Redacted.make<unknown>(undefined),
      encode: () => null
    })
  )
}
