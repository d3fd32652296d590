/** The hotel's papers, read from disk through the `FileSystem` that the application provides. */
import { fileURLToPath } from "node:url"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Tool } from "effect-realtime"

const folder = fileURLToPath(new URL("../documents", import.meta.url))

export class DocumentNotFound extends Schema.TaggedError<DocumentNotFound>()("DocumentNotFound", {
  file: Schema.String,
  available: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `There is no document ${this.file}. There are: ${this.available.join(", ")}.`
  }
}

export const readDocument = Tool.make("read_document", {
  description: "Reads a document of the hotel from its file, such as breakfast.txt",
  parameters: { file: Schema.String.annotations({ description: "The name of the file" }) },
  failure: DocumentNotFound,
  handler: ({ file }) =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const available = yield* Effect.orDie(files.readDirectory(folder))
      // Only a name that is in the folder is opened, so that no path leads out of it.
      if (!available.includes(file)) return yield* new DocumentNotFound({ file, available: available.sort() })
      return yield* Effect.orDie(files.readFileString(`${folder}/${file}`))
    })
})
