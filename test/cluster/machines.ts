/**
 * Several nodes, the model of all calls and a database, each a process of its own, and what can happen to them. All of it
 * ends with the scope.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { freePort } from "../freePort.js"
import { ask, type NoAnswer } from "./control.js"
import type { CallFacts } from "./facts.js"
import { done } from "./mind.js"
import * as Postgres from "./postgres.js"
import * as Programs from "./programs.js"

/** A process ended before it was ready, or did not become ready in time; the message has the end of its log. */
export class NotReady extends Data.TaggedError("NotReady")<{ readonly message: string }> {}

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A node as it is to be started. What is absent has the default of `node.ts`. */
export interface Spec {
  readonly name: string
  /** Where the other nodes reach it. Default: 127.0.0.1, and a free port. */
  readonly host?: string
  readonly port?: number
  readonly leaseMs?: number
  /** What a caller of the node waits at most for its drain. */
  readonly drainMs?: number
  readonly drain?: "handOver" | "wait"
  /** How much the clock of its process is ahead, in milliseconds. */
  readonly clockMs?: number
  /** Where it finds the database, if not directly. */
  readonly databaseUrl?: string
  readonly modelUrl?: string
  /** What the model answers with. Default: text. */
  readonly modality?: "text" | "audio"
  /** The version of the messages that it speaks. Default: this one. */
  readonly version?: "this" | "next"
  /** Starts the program, such as `ip netns exec NAME`. */
  readonly through?: ReadonlyArray<string>
}

export interface Node {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly startedAt: number
  readonly spec: Spec
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** SIGKILL, and waits until the process is gone. */
  readonly kill: Effect.Effect<void>
  readonly ended: Effect.Effect<Ending>
  readonly isRunning: () => boolean
  /** Asks the node itself; see `node.ts`. */
  readonly ask: <A>(question: string, args?: unknown, timeoutMs?: number) => Effect.Effect<A, NoAnswer>
  /** The status and the body of a page, such as `/ready`. */
  readonly page: (path: string) => Effect.Effect<{ readonly status: number; readonly body: unknown }, NotReady>
  readonly untilReady: Effect.Effect<void, NotReady>
  /** The end of what it wrote. */
  readonly log: () => string
}

/** What a handler did to the world. */
export interface Act {
  readonly tool: string
  readonly call: string
  readonly turn: number
  /** The same for each run of one call of a tool. */
  readonly key: string
  readonly node: string
  readonly at: number
}

export interface Machines {
  readonly postgres: Postgres.Postgres
  readonly modelUrl: string
  readonly modelPort: number
  /** Starts a node, and does not wait until it is ready. */
  readonly start: (spec: Spec) => Effect.Effect<Node, never, Scope.Scope>
  /** Starts nodes, and waits until all are ready. */
  readonly startAll: (specs: ReadonlyArray<Spec>) => Effect.Effect<ReadonlyArray<Node>, NotReady, Scope.Scope>
  /** Whether the model has come to the end of a turn, on any connection. */
  readonly isDone: (call: string, turn: number) => Effect.Effect<boolean>
  readonly facts: Effect.Effect<ReadonlyArray<CallFacts>>
  readonly acts: Effect.Effect<ReadonlyArray<Act>>
}

interface Launched {
  readonly child: ChildProcess
  readonly ended: Effect.Effect<Ending>
  readonly isRunning: () => boolean
  readonly log: () => string
}

/** `CLUSTER_LOGS=1` shows what the processes write as they write it. */
const showsLogs = process.env["CLUSTER_LOGS"] === "1"

const launch = (
  command: ReadonlyArray<string>,
  environment: NodeJS.ProcessEnv
): Effect.Effect<Launched, never, Scope.Scope> =>
  Effect.gen(function* () {
    const [program = process.execPath, ...args] = command
    let log = ""
    const start = Effect.sync(() => {
      const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...environment } })
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          log = (log + text).slice(-20_000)
          if (showsLogs) process.stderr.write(text.replace(/^(?=.)/gm, `${environment["NODE_NAME"] ?? "model"}: `))
        })
      }
      return child
    })
    const isRunning = (child: ChildProcess) => child.exitCode === null && child.signalCode === null
    const ended = (child: ChildProcess) =>
      Effect.async<Ending>((resume) => {
        const end = () => resume(Effect.succeed({ code: child.exitCode, signal: child.signalCode }))
        if (isRunning(child)) child.once("close", end)
        else end()
      })
    const child = yield* Effect.acquireRelease(start, (child) =>
      Effect.zipRight(
        Effect.sync(() => {
          // A process that is stopped dies too.
          if (isRunning(child)) child.kill("SIGKILL")
        }),
        ended(child)
      )
    )
    return { child, ended: ended(child), isRunning: () => isRunning(child), log: () => log }
  })

/** Started at the same time, nodes take many seconds on a busy machine. */
const patience = Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(900))

const readPage = (url: string): Effect.Effect<{ readonly status: number; readonly body: unknown }, NotReady> =>
  Effect.tryPromise({
    try: async () => {
      const response = await fetch(url, { signal: AbortSignal.timeout(5000) })
      const text = await response.text()
      return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : text }
    },
    catch: (error) => new NotReady({ message: `${url}: ${error instanceof Error ? error.message : error}` })
  })

export const make: Effect.Effect<Machines, Postgres.PostgresMissing | NotReady, Scope.Scope> = Effect.gen(function* () {
  const programs = yield* Programs.make
  const postgres = yield* Postgres.make
  const directory = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "effect-realtime-machines-"))),
    (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
  )
  const actsFile = join(directory, "acts")

  const modelPort = yield* freePort
  const modelControl = yield* freePort
  const model = yield* launch([process.execPath, programs.model, String(modelPort), String(modelControl)], {})
  const modelControlUrl = `http://127.0.0.1:${modelControl}`
  const askModel = ask<ReadonlyArray<CallFacts>>(modelControlUrl, "facts")
  yield* Effect.mapError(
    Effect.retry(askModel, patience),
    () => new NotReady({ message: `The model's process does not answer.\n${model.log()}` })
  )

  const said = new Set<string>()
  let count = 0
  const hear = Effect.gen(function* () {
    const more = yield* ask<ReadonlyArray<string>>(modelControlUrl, "done", { from: count })
    count += more.length
    for (const text of more) said.add(text)
  })
  yield* Effect.forkScoped(Effect.forever(Effect.delay(Effect.ignore(hear), "100 millis")))

  const start = (spec: Spec): Effect.Effect<Node, never, Scope.Scope> =>
    Effect.gen(function* () {
      const host = spec.host ?? "127.0.0.1"
      const port = spec.port ?? (yield* freePort)
      const controlPort = yield* freePort
      const pagesPort = yield* freePort
      const startedAt = Date.now()
      const environment = {
        NODE_NAME: spec.name,
        NODE_HOST: host,
        NODE_PORT: String(port),
        CONTROL_PORT: String(controlPort),
        PAGES_PORT: String(pagesPort),
        DATABASE_URL: spec.databaseUrl ?? postgres.url,
        MODEL_URL: spec.modelUrl ?? `ws://127.0.0.1:${modelPort}/v1/realtime`,
        ACTS_FILE: actsFile,
        LEASE_MS: String(spec.leaseMs ?? 3000),
        DRAIN_MS: String(spec.drainMs ?? 30_000),
        DRAIN_MODE: spec.drain ?? "handOver",
        MODALITY: spec.modality ?? "text",
        CLOCK_MS: String(spec.clockMs ?? 0)
      }
      const { child, ended, isRunning, log } = yield* launch(
        [
          ...(spec.through ?? []),
          process.execPath,
          "--enable-source-maps",
          spec.version === "next" ? programs.next : programs.node
        ],
        environment
      )
      const control = `http://${host}:${controlPort}`
      const signal: Node["signal"] = (name) => Effect.sync(() => void child.kill(name))
      const page: Node["page"] = (path) => readPage(`http://${host}:${pagesPort}${path}`)
      const ready = page("/ready").pipe(
        Effect.filterOrFail(
          ({ status }) => status === 200,
          ({ body }) => new NotReady({ message: `not ready: ${JSON.stringify(body)}` })
        ),
        Effect.retry(Schedule.whileInput(patience, isRunning)),
        Effect.mapError(
          ({ message }) => new NotReady({ message: `Node ${spec.name} did not become ready (${message}).\n${log()}` })
        ),
        Effect.asVoid
      )
      return {
        name: spec.name,
        host,
        port,
        startedAt,
        spec: { ...spec, host, port },
        signal,
        kill: Effect.zipRight(signal("SIGKILL"), Effect.asVoid(ended)),
        ended,
        isRunning,
        ask: (question, args, timeoutMs) => ask(control, question, args, timeoutMs),
        page,
        untilReady: ready,
        log
      } satisfies Node
    })

  return {
    postgres,
    modelUrl: `ws://127.0.0.1:${modelPort}/v1/realtime`,
    modelPort,
    start,
    startAll: (specs) =>
      Effect.forEach(specs, start, { concurrency: "unbounded" }).pipe(
        Effect.tap((nodes) => Effect.forEach(nodes, ({ untilReady }) => untilReady, { concurrency: "unbounded" }))
      ),
    isDone: (call, turn) => Effect.sync(() => said.has(done(call, turn))),
    facts: Effect.orDie(askModel),
    acts: Effect.promise(async () => {
      const text = await readFile(actsFile, "utf8").catch(() => "")
      // The border with JSON: what node.ts writes.
      return text
        .split("\n")
        .slice(0, -1)
        .map((line): Act => JSON.parse(line))
    })
  } satisfies Machines
})
