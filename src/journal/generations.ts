/**
 * The files of a session's records. The first is `records.journal`. A replacement is written to its own file,
 * `records-<n>.journal`, and the old file is deleted when the new one is complete, so one of them is complete whenever
 * the process dies. A writer that lost the journal writes to a file that nobody reads any more, and cannot overwrite
 * the new one.
 *
 * A replacement begins with a line that says how many bytes it initially had: with fewer bytes, it is incomplete.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as lines from "./lines.js"

const VERSION = 1

const pattern = /^records(?:-([1-9][0-9]{0,14}))?\.journal$/

export const nameOf = (generation: number): string =>
  generation === 0 ? "records.journal" : `records-${generation}.journal`

export const generationOf = (name: string): number | undefined => {
  const found = pattern.exec(name)
  return found === null ? undefined : Number(found[1] ?? 0)
}

/** @param names of a directory; returns the generations in it, the newest first */
export const generationsOf = (names: ReadonlyArray<string>): ReadonlyArray<number> =>
  names.flatMap((name) => generationOf(name) ?? []).sort((one, other) => other - one)

const Header = Schema.parseJson(Schema.Struct({ version: Schema.Number, bytes: Schema.Number }))
const decodeHeader = Schema.decodeUnknownEither(Header)

/** Encodes a file that replaces another. */
export const encode = (records: Uint8Array): Uint8Array => {
  const header = lines.encode([JSON.stringify({ version: VERSION, bytes: records.length })])
  const bytes = new Uint8Array(header.length + records.length)
  bytes.set(header)
  bytes.set(records, header.length)
  return bytes
}

export type Beginning =
  /** `records`: where the records begin. */
  | { readonly _tag: "Whole"; readonly records: number }
  /** Its writer died while it was being written. */
  | { readonly _tag: "Unfinished" }

export const beginningOf = (generation: number, bytes: Uint8Array): Either.Either<Beginning, lines.Damage> => {
  if (generation === 0) return Either.right({ _tag: "Whole", records: 0 })
  const end = bytes.indexOf(lines.LINE_FEED) + 1
  const size = lines.writtenSize(bytes)
  if (end === 0 || end > size) return Either.right({ _tag: "Unfinished" })
  return Either.flatMap(lines.decode(bytes.subarray(0, end)), (read): Either.Either<Beginning, lines.Damage> => {
    const header = decodeHeader(read.lines[0]?.text)
    if (Either.isLeft(header)) return damaged("its first line is not a valid header")
    if (header.right.version > VERSION) return damaged("a newer version wrote it. Update effect-realtime")
    return Either.right(size < end + header.right.bytes ? { _tag: "Unfinished" } : { _tag: "Whole", records: end })
  })
}

const damaged = (reason: string): Either.Either<never, lines.Damage> => Either.left({ line: 1, offset: 0, reason })
