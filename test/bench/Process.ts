import { type ChildProcess, fork } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import type * as Scope from "effect/Scope"
import { BenchFailed } from "./Bench.js"
import type { Order, Report } from "./process/messages.js"

/** A process of a bench, and the messages between it and this one. */
export interface Process {
  readonly order: (order: Order) => Effect.Effect<void>
  /** The next report; it must be of this kind. */
  readonly expect: <T extends Report["_tag"]>(
    tag: T
  ) => Effect.Effect<Extract<Report, { readonly _tag: T }>, BenchFailed>
}

const is = <T extends Report["_tag"]>(report: Report, tag: T): report is Extract<Report, { readonly _tag: T }> =>
  report._tag === tag

/** Asks a process to end by itself, for only then it writes its profile. */
const end = (child: ChildProcess): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    if (child.connected) child.disconnect()
  }).pipe(
    Effect.interruptible,
    Effect.timeoutOption("5 seconds"),
    Effect.zipRight(Effect.sync(() => child.kill("SIGKILL")))
  )

/** Starts a separate process, so that none warms up or fills the heap of another. It ends with the scope. */
export const start = (
  file: string,
  args: ReadonlyArray<string>,
  nodeFlags: ReadonlyArray<string> = []
): Effect.Effect<Process, never, Scope.Scope> =>
  Effect.gen(function* () {
    const reports = yield* Mailbox.make<Report, BenchFailed>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        fork(file, [...args], { execArgv: [...nodeFlags], stdio: ["ignore", "ignore", "pipe", "ipc"] })
      ),
      end
    )
    let complaint = ""
    child.stderr?.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString("utf8")).slice(-4000)
    })
    // The other end is this package's own code.
    child.on("message", (message) => void reports.unsafeOffer(message as Report))
    child.on("close", (code) => {
      const message = `${[file, ...args].join(" ")} ended with code ${code} before it was done.\n${complaint}`
      Effect.runSync(reports.fail(new BenchFailed({ message })))
    })
    return {
      order: (order) => Effect.sync(() => void child.send(order)),
      expect: (tag) =>
        Effect.flatMap(
          Effect.catchTag(reports.take, "NoSuchElementException", () =>
            Effect.fail(new BenchFailed({ message: `${file} says nothing any more.` }))
          ),
          (report) =>
            is(report, tag)
              ? Effect.succeed(report)
              : Effect.fail(new BenchFailed({ message: `${file} said ${report._tag} instead of ${tag}.` }))
        )
    }
  })
