/**
 * Keeps a node's word: renews its lease, compares what it has with what the directory says, and takes the calls of nodes
 * that died.
 */
import * as Effect from "effect/Effect"
import { DirectoryFailed } from "./ClusterError.js"
import type { CallRow, Claimed } from "./directory.js"
import type { Live } from "./Held.js"
import type { Host } from "./Host.js"
import * as instruments from "./instruments.js"
import { takeOver } from "./takeOver.js"

/** For how long calls that have ended, and nodes that are gone, stay in the directory. */
const rememberedMs = 3_600_000

/** Takes a session's journal from a writer that is gone. */
const evictWith =
  <E, R>({ its: { journals } }: Host<E, R>) =>
  (sessionId: string): Effect.Effect<void, DirectoryFailed> =>
    Effect.mapError(
      journals.evict(sessionId),
      ({ message }) => new DirectoryFailed({ operation: "claim a call", reason: message })
    )

/** Takes calls of nodes whose leases have run out. */
export const claim = <E, R>(
  host: Host<E, R>,
  limit: number,
  callId?: string
): Effect.Effect<ReadonlyArray<Claimed>, DirectoryFailed> => {
  const { directory, options } = host.its
  const wanted = { nodeId: host.nodeId, leaseMs: options.leaseMs, limit, ...(callId === undefined ? {} : { callId }) }
  return directory.claim(wanted, evictWith(host))
}

/** The calls go on being resumed: nothing waits for them here. */
const takeAll = <E, R>(host: Host<E, R>, rows: ReadonlyArray<CallRow & Partial<Claimed>>): Effect.Effect<void> =>
  Effect.forEach(rows, (row) => Effect.forkIn(Effect.ignore(takeOver(host, row, row.before)), host.its.scope), {
    discard: true
  })

/** One look at the directory. */
export const tick = <E, R>(host: Host<E, R>): Effect.Effect<void, DirectoryFailed> =>
  Effect.gen(function* () {
    const { directory, options } = host.its
    const at = host.now()
    const renewal = yield* directory.renew(host.state(), options.leaseMs)
    host.renewed(at)
    if (renewal === "Lapsed") {
      host.measure(instruments.lapses, 1)
      yield* Effect.annotateLogs(Effect.logWarning("The lease of this node had run out."), { nodeId: host.nodeId })
    }

    // What begins from now on may not be in the rows.
    const before = [...host.calls.values()].flatMap((held) => (held._tag === "Live" ? held : []))
    const rows = new Map((yield* directory.held(host.nodeId)).map((row) => [row.callId, row]))
    yield* Effect.forEach(before, (live) => compare(host, live, rows.get(live.row.callId)), { discard: true })
    for (const [callId, { _tag }] of host.calls) if (_tag === "Over") yield* host.settle(callId)
    // A node that stops gives its calls away, and takes none.
    if (host.isDraining) return

    const missing = [...rows.values()].filter(({ callId }) => !host.calls.has(callId)).slice(0, host.room())
    const given = yield* Effect.forEach(missing, (row) =>
      row.state === "taking" ? Effect.succeed(row) : regain(host, row)
    )
    yield* takeAll(
      host,
      given.flatMap((row) => row ?? [])
    )

    const room = host.room()
    if (room > 0) yield* takeAll(host, yield* claim(host, room))
  })

/** A call that runs here, and what the directory says of it. */
const compare = <E, R>(
  host: Host<E, R>,
  live: Live<E>,
  row: CallRow | undefined
): Effect.Effect<void, DirectoryFailed> =>
  Effect.suspend(() => {
    const { callId } = live.row
    if (host.live(callId) !== live) return Effect.void
    if (row === undefined) return restore(host, live)
    if (row.epoch > live.row.epoch || row.state === "taking") return aside(host, host.stopGhost(live))
    // A directory that was restored from a backup has an earlier epoch.
    live.row = row
    const { abandonAfterMs } = host.its.options
    if (live.listening.isOver() || live.listening.aloneMs() <= abandonAfterMs) return Effect.void
    live.listening.ends()
    return aside(host, live.session.close)
  })

/** A call may take a second to close, and a lease may be over before many have. */
const aside = <E, R>(host: Host<E, R>, closing: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.asVoid(Effect.forkIn(closing, host.its.scope))

/** The directory does not say that the call is here: it is another's, or its row is gone. */
const restore = <E, R>(host: Host<E, R>, live: Live<E>): Effect.Effect<void, DirectoryFailed> =>
  Effect.gen(function* () {
    const { directory } = host.its
    const { callId, epoch } = live.row
    const row = { ...live.row, nodeId: host.nodeId, epoch: epoch + 1 }
    const found = yield* directory.find(callId)
    if (host.live(callId) !== live) return
    // If another node had the call meanwhile, it has the journal too, and this session ends at its next record.
    if (found === undefined && (yield* directory.insert(row))) live.row = { ...row, state: "live" }
    else if (found?.nodeId !== host.nodeId || found.state === "ended" || found.state === "failed") {
      yield* aside(host, host.stopGhost(live))
    }
  })

/** The directory says that a call runs here, and it does not: its session lost its journal, or a backup was restored. */
const regain = <E, R>(host: Host<E, R>, row: CallRow): Effect.Effect<CallRow | undefined, DirectoryFailed> =>
  Effect.gen(function* () {
    if (!(yield* host.its.directory.give(row, host.nodeId))) return undefined
    yield* evictWith(host)(row.sessionId)
    return { ...row, epoch: row.epoch + 1, state: "taking" as const }
  })

/** Looks at the directory until the scope closes. What fails is counted, and tried again. */
export const keep = <E, R>(host: Host<E, R>): Effect.Effect<never> => {
  const { directory, options } = host.its
  let looks = 0
  let isAway = false
  const look = Effect.suspend(() => {
    looks += 1
    const forgets = looks % Math.ceil(60_000 / options.tickMs) === 0
    const forget = forgets ? directory.forget(rememberedMs) : Effect.void
    return host.ask(Effect.zipRight(host.timed(instruments.directoryDuration, tick(host)), forget)).pipe(
      Effect.matchEffect({
        onSuccess: () =>
          Effect.sync(() => {
            isAway = false
          }),
        onFailure: ({ message }) =>
          Effect.suspend(() => {
            host.measure(instruments.directoryFailures, 1)
            const isNews = !isAway
            isAway = true
            // Once for each outage.
            return isNews ? Effect.annotateLogs(Effect.logWarning(message), { nodeId: host.nodeId }) : Effect.void
          })
      })
    )
  })
  return Effect.forever(Effect.delay(look, options.tickMs))
}
