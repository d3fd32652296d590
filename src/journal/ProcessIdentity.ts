/**
 * Identifies the process that wrote something, and tells whether it is still running, if the file system says so: Linux
 * lists its processes there. On other systems, and for processes of other machines, containers and users, nothing is
 * known.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { isNotFound } from "./notFound.js"

export const ProcessIdentity = Schema.Struct({
  /** Boot id of the machine, process namespace and user: within these, a process id is unique. */
  host: Schema.String,
  pid: Schema.String,
  /** The start time of the process, in clock ticks since the boot, because process ids are reused. */
  started: Schema.String
})
export interface ProcessIdentity extends Schema.Schema.Type<typeof ProcessIdentity> {}

export const current = (fs: FileSystem.FileSystem): Effect.Effect<ProcessIdentity | undefined> =>
  Effect.gen(function* () {
    const boot = yield* fs.readFileString("/proc/sys/kernel/random/boot_id")
    const namespace = yield* fs.readLink("/proc/self/ns/pid")
    const { uid } = yield* fs.stat("/proc/self")
    const { pid, started } = parse(yield* fs.readFileString("/proc/self/stat"))
    if (Option.isNone(uid) || pid === undefined || started === undefined) return undefined
    return { host: `${boot.trim()} ${namespace} ${uid.value}`, pid, started }
  }).pipe(Effect.orElseSucceed(() => undefined))

/** Whether a process of this host is running. */
export const isRunning = (fs: FileSystem.FileSystem, { pid, started }: ProcessIdentity): Effect.Effect<boolean> =>
  fs.readFileString(`/proc/${encodeURIComponent(pid)}/stat`).pipe(
    Effect.map((text) => {
      const found = parse(text)
      // A zombie has ended, and waits for its parent to notice.
      return found.started === started && found.state !== "Z" && found.state !== "X"
    }),
    Effect.catchAll((error) => Effect.succeed(!isNotFound(error)))
  )

/** The name of the program is in parentheses and may contain anything (proc(5), `/proc/pid/stat`). */
const parse = (stat: string) => {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return { pid: /^\d+/.exec(stat)?.[0], state: fields[0], started: fields[19] }
}
