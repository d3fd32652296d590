import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import type * as SqlClient from "@effect/sql/SqlClient"
import * as LibsqlClient from "@effect/sql-libsql/LibsqlClient"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SessionJournal from "../../src/SessionJournal.js"
import * as SessionJournalSql from "../../src/SessionJournalSql.js"

/** A directory that goes with the scope. */
export const temporaryDirectory = Effect.flatMap(FileSystem.FileSystem, (fs) =>
  fs.makeTempDirectoryScoped({ prefix: "effect-realtime-journal-" })
).pipe(Effect.provide(NodeContext.layer), Effect.orDie)

export const files = (directory: string, lease?: Duration.DurationInput) =>
  SessionJournal.layerFile({ directory, fsync: "never", lease }).pipe(Layer.provide(NodeContext.layer))

export const database = (
  directory: string
): Layer.Layer<SessionJournal.SessionJournal | SqlClient.SqlClient, SessionJournal.JournalFailed> =>
  Layer.provideMerge(SessionJournalSql.layer, LibsqlClient.layer({ url: `file:${directory}/journals.db` }))

/** The journals of a layer, as another process would have them: only the storage is shared. */
export const serviceOf = <E>(layer: Layer.Layer<SessionJournal.SessionJournal, E>) =>
  Effect.map(Layer.build(Layer.fresh(layer)), Context.get(SessionJournal.SessionJournal))
