/** What the driver can ask a node: to begin calls, to send commands through it, and how it is. */
import { performance } from "node:perf_hooks"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { CallDirectory } from "../../src/cluster/CallDirectory.js"
import { CallHost } from "../../src/cluster/CallHost.js"
import * as Calls from "../../src/cluster/Calls.js"
import { version } from "../../src/cluster/Command.js"
import { Door } from "../../src/cluster/Door.js"
import type { Outcome, Said } from "./calls.js"
import type { Questions } from "./control.js"
import type { Meter } from "./usage.js"

/** A tenth of a second of silence: 16-bit PCM, 24,000 samples per second. */
const silence = new Uint8Array(4800)

const carryOut = (calls: Calls.Service, call: string, said: Said, itemId?: string): Effect.Effect<unknown, Tagged> => {
  const one = calls.get(call)
  switch (said._tag) {
    case "SendText":
      return one.sendText(said.text, itemId === undefined ? {} : { id: itemId })
    case "Approve":
      return one.approve(said.toolCallId)
    case "Reject":
      return one.reject(said.toolCallId)
    case "UpdateAgent":
      return one.updateAgent(said.agent)
    case "Interrupt":
      return one.interrupt
    case "Close":
      return one.close
    case "Status":
      return one.status
  }
}

interface Tagged {
  readonly _tag: string
  readonly message: string
}

const outcomeOf = (call: string, effect: Effect.Effect<unknown, Tagged>): Effect.Effect<Outcome> =>
  Effect.suspend(() => {
    const at = Date.now()
    const began = performance.now()
    return Effect.match(effect, {
      onSuccess: (value): Outcome => ({ call, at, ms: performance.now() - began, value }),
      onFailure: ({ _tag, message }): Outcome => ({ call, at, ms: performance.now() - began, error: { _tag, message } })
    })
  })

export const make = (
  meter: Meter
): Effect.Effect<Questions, never, Scope.Scope | CallHost | Calls.Calls | CallDirectory | Door> =>
  Effect.gen(function* () {
    const host = yield* CallHost
    const calls = yield* Calls.Calls
    const finding = yield* Effect.context<CallDirectory | Door>()
    const door = Context.get(finding, Door)
    const directory = Context.get(finding, CallDirectory)
    const scope = yield* Effect.scope
    let probing: Fiber.RuntimeFiber<void> | undefined
    let probed: ReadonlyArray<Outcome> = []

    /** A caller who listens, and whose microphone is open. */
    const speak = (call: string) =>
      Effect.gen(function* () {
        const session = Option.getOrThrow(yield* host.get(call))
        yield* host.attend(call, { onAudio: ({ bytes }) => meter.audio(bytes.length) })
        const piece = Effect.zipRight(
          session.sendAudio(silence),
          Effect.sync(() => meter.audio(silence.length))
        )
        yield* Effect.ignore(Effect.forever(Effect.delay(piece, "100 millis")))
      }).pipe(Effect.scoped, Effect.ignore)

    return {
      start: ({ calls: names }: { readonly calls: ReadonlyArray<string> }) =>
        Effect.forEach(names, (callId) => host.start({ callId }), { concurrency: 4, discard: true }),
      command: ({ call, deadlineMs, itemId, said }: Asked) =>
        Effect.gen(function* () {
          const through =
            deadlineMs === undefined ? calls : yield* Effect.provide(Calls.make({ within: deadlineMs }), finding)
          return yield* outcomeOf(call, carryOut(through, call, said, itemId))
        }),
      probe: ({ calls: names, everyMs }: { readonly calls: ReadonlyArray<string>; readonly everyMs: number }) =>
        Effect.gen(function* () {
          const outcomes: Array<Outcome> = []
          probed = outcomes
          const one = (call: string, at: number) =>
            outcomeOf(call, calls.get(call).status).pipe(
              // Who asks has no use for what it says.
              Effect.map(({ value: _, ...outcome }) => outcomes.push(outcome)),
              Effect.zipRight(Effect.sleep(everyMs)),
              Effect.forever,
              Effect.delay((at / names.length) * everyMs)
            )
          const all = Effect.forEach(names, one, { concurrency: "unbounded", discard: true })
          probing = yield* Effect.forkIn(Effect.interruptible(all), scope)
        }),
      probed: () =>
        Effect.gen(function* () {
          if (probing !== undefined) yield* Fiber.interrupt(probing)
          return probed
        }),
      bench: ({
        calls: names,
        count,
        said
      }: {
        readonly calls: ReadonlyArray<string>
        readonly count: number
        readonly said: Said
      }) =>
        Effect.forEach(Array.from({ length: count }), (_, at) => {
          const call = names[at % names.length] ?? ""
          return Effect.map(outcomeOf(call, carryOut(calls, call, said)), ({ error, ms }) =>
            error === undefined ? ms : Number.POSITIVE_INFINITY
          )
        }),
      speak: ({ calls: names }: { readonly calls: ReadonlyArray<string> }) =>
        Effect.forEach(names, (call) => Effect.forkIn(Effect.interruptible(speak(call)), scope), { discard: true }),
      raw: ({ call, command }: { readonly call: string; readonly command: unknown }) =>
        Effect.gen(function* () {
          const row = yield* directory.find(call)
          const envelope = { version, commandId: `raw-${Date.now()}`, callId: call, command }
          return yield* outcomeOf(
            call,
            Effect.mapError(door.send(row?.group ?? "", envelope), (error) =>
              error._tag === "Unanswered" ? { _tag: error._tag, message: error.reason } : error
            )
          )
        }),
      dieAfter: ({ commands }: { readonly commands: number }) =>
        Effect.sync(() => {
          const done = new Set<string>()
          const { carry } = host
          const fatal: typeof carry = (envelope) =>
            carry(envelope).pipe(
              Effect.tap(() =>
                Effect.sync(() => {
                  done.add(envelope.commandId)
                  if (done.size >= commands) process.kill(process.pid, "SIGKILL")
                })
              ),
              // Done, and never answered.
              Effect.zipRight(Effect.never)
            )
          Object.assign(host, { carry: fatal })
        }),
      usage: () => Effect.map(host.count, (count) => ({ calls: count, ...meter.used() }))
    }
  })

interface Asked {
  readonly call: string
  readonly said: Said
  /** Of words: with the same id they are said once, whoever says them again. */
  readonly itemId?: string
  readonly deadlineMs?: number
}
