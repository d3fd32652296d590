import * as Schema from "effect/Schema"

/** `Schema.TaggedError` with this package's name in the identifier: another package may have errors with the same tag. */
export const TaggedError =
  <Self>() =>
  <Tag extends string, Fields extends Schema.Struct.Fields>(tag: Tag, fields: Fields) =>
    Schema.TaggedError<Self>(`effect-realtime/${tag}`)<Tag, Fields>(tag, fields)
