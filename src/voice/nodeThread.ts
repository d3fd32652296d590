/**
 * The worker thread that speaks and listens. A process has only one, however many servers and sessions use it. It starts
 * with its first user and ends with its last. If it ends earlier, its pending requests fail, and the next request starts
 * another one.
 */
import { Worker } from "node:worker_threads"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Outcome, Reply, Request, Task } from "./messages.js"
import type { Thread } from "./Thread.js"
import { VoiceUnavailable } from "./VoiceUnavailable.js"

type Settle = (outcome: Effect.Effect<Outcome, VoiceUnavailable>) => void

interface Running {
  readonly worker: Worker
  readonly pending: Map<number, Settle>
}

/** Next to this module: JavaScript in the package, TypeScript in the repository. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."))
const entry = new URL(`./worker/main${extension}`, import.meta.url)

/** `tsx`, which runs TypeScript, does not apply to threads by itself. */
const withTsx = `import('tsx/esm/api').then(({ register }) => { register(); return import('${entry.href}') })`

const launch = (): Worker => {
  const name = "effect-realtime voice"
  return extension === ".ts" ? new Worker(withTsx, { name, eval: true }) : new Worker(entry, { name })
}

let users = 0
let count = 0
let detectors = 0
let running: Running | undefined

const begin = (): Running => {
  const worker = launch()
  const begun: Running = { worker, pending: new Map() }
  let problem = "it ended"
  worker.on("message", ({ id, outcome }: Reply) => {
    const settle = begun.pending.get(id)
    begun.pending.delete(id)
    settle?.(
      outcome._tag === "Failed"
        ? new VoiceUnavailable({ reason: outcome.reason, message: outcome.message })
        : Effect.succeed(outcome)
    )
  })
  worker.on("error", (error) => {
    problem = error instanceof Error ? error.message : String(error)
  })
  worker.on("exit", () => {
    if (running === begun) running = undefined
    const message = `The worker thread of the embedded voice ended (${problem}). The next request begins another one.`
    for (const settle of begun.pending.values()) settle(new VoiceUnavailable({ reason: "ThreadEnded", message }))
    begun.pending.clear()
  })
  return begun
}

const closed = new VoiceUnavailable({
  reason: "ThreadEnded",
  message: "The embedded voice is used after its scope has closed. Close the scope of its server first."
})

const ask = (task: Task): Effect.Effect<Outcome, VoiceUnavailable> =>
  Effect.async((resume) => {
    // A thread without users would never end.
    if (users === 0) return resume(closed)
    running ??= begin()
    const { pending, worker } = running
    count += 1
    const id = count
    const send = (request: Request) => worker.postMessage(request)
    pending.set(id, resume)
    send({ _tag: "Ask", id, task })
    return Effect.sync(() => {
      if (pending.delete(id)) send({ _tag: "Cancel", id })
    })
  })

const newDetector = (): number => {
  detectors += 1
  return detectors
}

const forget = (detector: number): void => {
  const request: Request = { _tag: "Forget", detector }
  running?.worker.postMessage(request)
}

const leave = Effect.suspend(() => {
  users -= 1
  if (users > 0 || running === undefined) return Effect.void
  const { worker } = running
  running = undefined
  return Effect.promise(() => worker.terminate())
})

/** A share of the thread, until the scope closes. */
export const acquire: Effect.Effect<Thread, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync((): Thread => {
    users += 1
    return { ask, newDetector, forget }
  }),
  () => leave
)
