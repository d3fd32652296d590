/**
 * A PostgreSQL server for tests and for the demo: one of its own, in a temporary directory and on a free port of this
 * machine, that is stopped and removed at the end; or the one that `DATABASE_URL` names, which is never stopped.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { accessSync, constants, readdirSync, readFileSync } from "node:fs"
import { chmod, chown, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import * as Reactivity from "@effect/experimental/Reactivity"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { freePort } from "../freePort.js"

/** There is no server to be had; the message says what to install or to set. */
export class PostgresMissing extends Data.TaggedError("PostgresMissing")<{ readonly message: string }> {}

/** Rows as the driver gives them. */
export type Row = Readonly<Record<string, unknown>>

/** What only the program that started the server may do with it. */
export interface Own {
  /** Closes every connection, as `pg_ctl stop -m fast` does, and listens no more. */
  readonly stop: Effect.Effect<void>
  /** Starts it again with the same data on the same port, and waits until it answers. */
  readonly start: Effect.Effect<void>
  /** Keeps a copy of the data as they are now. The server is stopped meanwhile. */
  readonly backUp: Effect.Effect<void>
  /** Puts the copy in the place of the data: all that was written since is forgotten. */
  readonly restore: Effect.Effect<void>
}

export interface Postgres {
  /** Such as `postgres://postgres@127.0.0.1:5433/postgres`. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** Absent: the server of `DATABASE_URL`. */
  readonly own: Own | undefined
  /** Over a connection of its own, so that it also works after the server was away. */
  readonly query: Query
  /** Makes an empty database on the server; the one of `url` stays as it is. */
  readonly database: (name: string) => Effect.Effect<Database>
}

export type Query = (text: string, values?: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<Row>>

export interface Database {
  readonly url: string
  readonly query: Query
}

const missing =
  "PostgreSQL is not installed here. Install it (Debian, Ubuntu: apt-get install postgresql), or set DATABASE_URL to a " +
  "database that may be used for this, such as postgres://user:password@127.0.0.1:5432/test."

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Debian keeps the server's programs out of PATH, in a directory for each version. */
const directoryOfPrograms = (): string | undefined => {
  const debian = "/usr/lib/postgresql"
  let versions: ReadonlyArray<string> = []
  try {
    versions = readdirSync(debian)
  } catch {
    // It is not Debian, or has no PostgreSQL.
  }
  const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, "bin"))
  const onPath = (process.env["PATH"] ?? "").split(delimiter)
  return [...newestFirst, ...onPath].find((directory) =>
    ["initdb", "postgres"].every((program) => isExecutable(join(directory, program)))
  )
}

interface User {
  readonly uid?: number
  readonly gid?: number
}

/** The server refuses to run as root. Then it runs as the user that Debian made for it, or as nobody. */
const userOfServer = (): User => {
  if (process.getuid?.() !== 0) return {}
  const users = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
  const found = ["postgres", "nobody"].flatMap((name) => users.filter((fields) => fields[0] === name))[0]
  return found === undefined ? {} : { uid: Number(found[2]), gid: Number(found[3]) }
}

const ask = (url: string, text: string, values: ReadonlyArray<unknown> = []) =>
  PgClient.make({ url: Redacted.make(url), maxConnections: 1, connectTimeout: "2 seconds" }).pipe(
    Effect.flatMap((client) => client.unsafe<Row>(text, values)),
    Effect.scoped,
    Effect.provide(Reactivity.layer)
  )

const queryAt =
  (url: string): Query =>
  (text, values) =>
    Effect.orDie(ask(url, text, values))

const databaseAt =
  (url: string): Postgres["database"] =>
  (name) => {
    const own = new URL(url)
    own.pathname = `/${name}`
    return queryAt(url)(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`).pipe(
      Effect.zipRight(queryAt(url)(`CREATE DATABASE ${name}`)),
      Effect.as({ url: own.href, query: queryAt(own.href) })
    )
  }

const execute = (file: string, args: ReadonlyArray<string>, user: User, directory: string) =>
  Effect.async<void, PostgresMissing>((resume) => {
    execFile(file, [...args], { ...user, cwd: directory }, (error, _, stderr) => {
      if (error === null) resume(Effect.void)
      else resume(new PostgresMissing({ message: `PostgreSQL cannot be used here: ${stderr || error.message}` }))
    })
  })

/** A running server. It ends with SIGINT, which is a fast shutdown. */
const launch = (programs: string, directory: string, port: number, user: User) =>
  Effect.sync((): ChildProcess => {
    const settings = ["-h", "127.0.0.1", "-p", String(port), "-k", directory, "-c", "max_connections=300"]
    return spawn(join(programs, "postgres"), ["-D", join(directory, "data"), ...settings], {
      ...user,
      cwd: directory,
      // What it writes is what it writes for an operator.
      stdio: "ignore"
    })
  })

const ended = (server: ChildProcess, signal: NodeJS.Signals) =>
  Effect.async<void>((resume) => {
    if (server.exitCode !== null || server.signalCode !== null) return resume(Effect.void)
    server.once("exit", () => resume(Effect.void))
    server.kill(signal)
  })

const startOwn = (programs: string): Effect.Effect<Postgres, PostgresMissing, Scope.Scope> =>
  Effect.gen(function* () {
    const user = userOfServer()
    const directory = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "effect-realtime-postgres-"))),
      (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
    )
    yield* Effect.promise(async () => {
      if (user.uid !== undefined && user.gid !== undefined) await chown(directory, user.uid, user.gid)
      await chmod(directory, 0o700)
    })
    const data = join(directory, "data")
    yield* execute(
      join(programs, "initdb"),
      ["-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync"],
      user,
      directory
    )
    const port = yield* freePort
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`
    let server: ChildProcess | undefined
    const start = launch(programs, directory, port, user).pipe(
      Effect.tap((launched) =>
        Effect.sync(() => {
          server = launched
        })
      ),
      Effect.zipRight(
        Effect.retry(ask(url, "SELECT 1"), Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(1200)))
      ),
      Effect.orDie,
      Effect.asVoid
    )
    const stop = Effect.suspend(() => (server === undefined ? Effect.void : ended(server, "SIGINT")))
    yield* Effect.acquireRelease(start, () => stop)

    const backup = join(directory, "backup")
    const whileStopped = (...steps: ReadonlyArray<readonly [file: string, ...args: ReadonlyArray<string>]>) =>
      stop.pipe(
        Effect.zipRight(Effect.forEach(steps, ([file, ...args]) => execute(file, args, user, directory))),
        Effect.zipRight(start),
        Effect.orDie
      )
    return {
      url,
      host: "127.0.0.1",
      port,
      own: {
        stop,
        start,
        backUp: whileStopped(["rm", "-rf", backup], ["cp", "-a", data, backup]),
        restore: whileStopped(["rm", "-rf", data], ["cp", "-a", backup, data])
      },
      query: queryAt(url),
      database: databaseAt(url)
    } satisfies Postgres
  })

/** Whether there is a server to be had. Tests that need one are skipped without it, and say so in their names. */
export const isHere: boolean = (process.env["DATABASE_URL"] ?? "") !== "" || directoryOfPrograms() !== undefined

/** Ends the names of such tests. */
export const where: string = isHere ? "" : " (skipped: neither PostgreSQL nor DATABASE_URL is here)"

/** Gives a server that answers. The one it started is stopped, and its data removed, when the scope closes. */
export const make: Effect.Effect<Postgres, PostgresMissing, Scope.Scope> = Effect.gen(function* () {
  const url = process.env["DATABASE_URL"]
  if (url !== undefined && url !== "") {
    yield* Effect.mapError(
      ask(url, "SELECT 1"),
      (error) => new PostgresMissing({ message: `The database of DATABASE_URL does not answer: ${error.message}` })
    )
    const { hostname, port } = new URL(url)
    return {
      url,
      host: hostname,
      port: Number(port || 5432),
      own: undefined,
      query: queryAt(url),
      database: databaseAt(url)
    }
  }
  const programs = directoryOfPrograms()
  if (programs === undefined) return yield* new PostgresMissing({ message: missing })
  return yield* startOwn(programs)
})
