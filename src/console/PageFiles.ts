/** The built files of the page. They are read once, when the console starts. */
import { extname, join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaggedError } from "../common/TaggedError.js"

export interface File {
  readonly type: string
  readonly bytes: Uint8Array
}

/** The files by path, such as `/assets/index.js`. The page itself is `/`. */
export type Files = ReadonlyMap<string, File>

/** The page was not built. */
export class PageMissing extends TaggedError<PageMissing>()("PageMissing", {
  folder: Schema.String
}) {
  override get message(): string {
    return `There is no page in ${this.folder}. Build it with \`npm run build:console\`.`
  }
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml"
}

/** @param folder the folder with `index.html` */
export const read = (folder: string): Effect.Effect<Files, PageMissing, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const names = yield* fs.readDirectory(folder, { recursive: true })
    const known = names.filter((name) => types[extname(name)] !== undefined)
    const files = yield* Effect.forEach(known, (name) =>
      Effect.map(fs.readFile(join(folder, name)), (bytes): readonly [string, File] => {
        const path = `/${name.replaceAll("\\", "/")}`
        return [path === "/index.html" ? "/" : path, { type: types[extname(name)] ?? "", bytes }]
      })
    )
    const found = new Map(files)
    return found.has("/") ? found : yield* new PageMissing({ folder })
  }).pipe(
    Effect.catchTags({ BadArgument: () => new PageMissing({ folder }), SystemError: () => new PageMissing({ folder }) })
  )
