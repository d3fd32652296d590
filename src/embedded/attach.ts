/**
 * The server's end of one connection: an inbox, an outbox with a single writer, the faults in between, and a view for
 * tests.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { type Call, keyPressed, type Ways } from "./Call.js"
import { type ClientFrame, read } from "./ClientFrames.js"
import { type Dialect, wireOf } from "./Dialect.js"
import { Counter, type Fault, first } from "./Fault.js"
import type { Action } from "./FaultAction.js"
import type { OutgoingEvent } from "./Outgoing.js"
import { Recorder, type RefusedEvent } from "./Recorder.js"
import type { Activity, Ending, ServerConnection } from "./ServerConnection.js"
import type { ServerConversation } from "./ServerConversation.js"
import { ServerSession } from "./ServerSession.js"
import type { JsonObject } from "./Shape.js"

/** The transport of a connection's frames. */
export interface Transport {
  readonly deliver: (text: string) => void
  /** Ends the connection with a CLOSE frame. */
  readonly close: (code: number, reason: string) => void
  /** Ends the connection without one. */
  readonly drop: () => void
}

export interface ConnectionOptions extends Ways {
  readonly number: number
  readonly model: string
  readonly faults: ReadonlyArray<Fault>
  readonly dialect: Dialect | undefined
  /** The shared conversation, if connections share one. */
  readonly conversation: ServerConversation | undefined
  /** The call that this connection stands beside, with its session. Absent: it has a session of its own. */
  readonly call: { readonly call: Call; readonly session: ServerSession } | undefined
  readonly observe: (activity: Activity) => void
}

/** A connection as its transport sees it. */
export interface Attached {
  readonly connection: ServerConnection
  readonly receive: (text: string) => void
  /** The client closed the connection, or vanished. */
  readonly hangUp: (ending: Ending) => void
}

/** A client that sends faster than the server reads is disconnected when this many characters wait. */
const MAX_UNREAD = 64 * 1024 * 1024
/** How often other fibers may run before a test reads what has arrived: they need one or two rounds. */
const ROUNDS = 10
/** A client is disconnected when this many events wait: a fault then holds them back for too long. */
const MAX_UNSENT = 100_000

type Outbound =
  | { readonly _tag: "Event"; readonly event: OutgoingEvent }
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "End"; readonly ending: Ending }

export const attach = (options: ConnectionOptions, transport: Transport): Effect.Effect<Attached, never, Scope.Scope> =>
  Effect.gen(function* () {
    const inbox = yield* Mailbox.make<string>()
    const outbox = yield* Mailbox.make<Outbound>({ capacity: MAX_UNSENT })
    const ended = yield* Deferred.make<Ending>()
    const leaving = yield* Deferred.make<void>()
    const fork = yield* FiberSet.makeRuntime<never, void>()
    const now = yield* Clock.currentTimeMillis
    const recorder = new Recorder(options.memory)
    const incoming = new Counter("Incoming", options.number, options.faults)
    const outgoing = new Counter("Outgoing", options.number, options.faults)
    const wire = wireOf(options.dialect)
    let hearing: "open" | "muted" | "ended" = "open"
    let unread = 0
    let turns = 0

    const enqueue = (outbound: Outbound) => {
      if (!outbox.unsafeOffer(outbound)) end({ _tag: "Dropped" })
    }

    /** Ends the connection after what was sent before; no fault delays that any more. */
    const leave = (ending: Ending) => {
      enqueue({ _tag: "End", ending })
      Deferred.unsafeDone(leaving, Effect.void)
    }

    const emit = (event: OutgoingEvent) => enqueue({ _tag: "Event", event })

    const respond = (begin: () => void) => {
      turns += 1
      const actions = first(options.faults, { _tag: "Responding", connection: options.number, nth: turns })
      if (actions === undefined) begin()
      else fork(Effect.forEach(actions, (action) => act(action, {}, begin), { discard: true }))
    }

    const own = () =>
      new ServerSession({
        of: options.number,
        model: options.model,
        now,
        maxDuration: options.maxDuration,
        manners: options.manners,
        turnDetection: options.turnDetection,
        transcribe: options.transcribe,
        mcpServers: options.mcpServers,
        userAudio: options.memory.userAudio,
        conversation: options.conversation,
        carried: undefined,
        emit,
        fork,
        respond,
        close: (code, reason) => leave({ _tag: "ClosedByServer", code, reason })
      })
    const session = options.call?.session ?? own()
    const part = options.call?.call.join({
      emit,
      emitText: (text) => enqueue({ _tag: "Text", text }),
      respond,
      leave
    })

    const end = (ending: Ending) => {
      if (hearing === "ended") return
      hearing = "ended"
      if (part === undefined) session.shutdown()
      else part()
      recorder.end()
      if (options.conversation === undefined && part === undefined) {
        options.memory.conversations.add(
          { forgetOldest: () => session.conversation.forget() },
          session.conversation.length
        )
      }
      inbox.unsafeDone(Exit.void)
      outbox.unsafeDone(Exit.void)
      if (ending._tag === "ClosedByServer") transport.close(ending.code, ending.reason)
      if (ending._tag === "Dropped") transport.drop()
      Deferred.unsafeDone(ended, Effect.succeed(ending))
      options.observe({ _tag: "Ended", connection: options.number, ending })
    }

    const deliver = (text: string) => {
      if (hearing === "open") transport.deliver(text)
    }

    const deliverJson = (event: JsonObject) => {
      for (const written of wire.outgoing(event)) {
        if (hearing === "open") options.observe({ _tag: "Sent", connection: options.number, event: written })
        deliver(JSON.stringify(written))
      }
    }

    /** The length of the frame that is being handled. */
    let reading = 0

    const refuse = (refusal: RefusedEvent["refusal"], event: JsonObject, echo = true) => {
      recorder.refused({ refusal, event }, reading)
      const id = event["event_id"]
      // Only whoever sent the event.
      emit({ type: "error", error: { ...refusal, event_id: echo && typeof id === "string" ? id : null } })
    }

    /** Actions with the same meaning in both directions; `pass` is what the direction does with its event. */
    const act = (action: Action, event: JsonObject, pass: () => void): Effect.Effect<void> => {
      switch (action._tag) {
        case "Wait":
          return Effect.asVoid(Effect.timeoutOption(Deferred.await(leaving), action.duration))
        case "Hang":
          return Deferred.await(leaving)
        default:
          return Effect.sync(() => actNow(action, event, pass))
      }
    }

    const actNow = (action: Action, event: JsonObject, pass: () => void): void => {
      switch (action._tag) {
        case "Pass":
          pass()
          break
        case "Send":
          deliverJson(action.event)
          break
        case "SendText":
          deliver(action.text)
          break
        case "Refuse":
          refuse(action.refusal, event, action.echo)
          break
        case "Respond":
          session.createResponse({}, "server")
          break
        case "Collide":
          session.collide(typeof event["event_id"] === "string" ? event["event_id"] : null)
          break
        case "Answer":
          session.override(action.parts)
          break
        case "Mute":
          hearing = hearing === "ended" ? "ended" : "muted"
          break
        case "Close":
          end({ _tag: "ClosedByServer", code: action.code, reason: action.reason })
          break
        case "Drop":
          end({ _tag: "Dropped" })
          break
        case "Wait":
        case "Hang":
        case "RefuseHandshake":
          break
      }
    }

    const handle = (frame: ClientFrame) => {
      if (hearing === "ended") return
      const problem = frame._tag === "Refused" ? frame.refusal : session.handle(frame.event)
      if (problem !== undefined) refuse(problem, frame.json)
    }

    const receive = (text: string) => {
      if (!inbox.unsafeOffer(text)) return
      unread += text.length
      if (unread > MAX_UNREAD) end({ _tag: "ClosedByServer", code: 1008, reason: "Too much waits to be read." })
    }

    const take = (text: string): Effect.Effect<void> => {
      unread -= text.length
      reading = text.length
      if (hearing === "ended") return Effect.void
      const frame = read(wire.incoming(text))
      if (frame._tag === "Accepted") recorder.received(frame.event, text.length)
      options.observe({ _tag: "Received", connection: options.number, event: frame.json })
      const actions = incoming.strike(frame.json)
      if (actions === undefined) return Effect.sync(() => handle(frame))
      return Effect.forEach(actions, (action) => act(action, frame.json, () => handle(frame)), { discard: true })
    }

    const write = (outbound: Outbound): Effect.Effect<void> => {
      switch (outbound._tag) {
        case "Text":
          return Effect.sync(() => deliver(outbound.text))
        case "End":
          return Effect.sync(() => end(outbound.ending))
        case "Event": {
          const event: JsonObject = { event_id: session.ids.next("event"), ...outbound.event }
          const actions = outgoing.strike(event)
          if (actions === undefined) return Effect.sync(() => deliverJson(event))
          return Effect.forEach(actions, (action) => act(action, event, () => deliverJson(event)), { discard: true })
        }
      }
    }

    const drain = <A>(mailbox: Mailbox.Mailbox<A>, use: (element: A) => Effect.Effect<void>): Effect.Effect<void> =>
      Effect.gen(function* () {
        while (true) {
          const [elements, done] = yield* mailbox.takeAll
          for (const element of elements) yield* use(element)
          if (done) return
        }
      })

    options.observe({ _tag: "Connected", connection: options.number, model: options.model })
    if (part === undefined) session.start()
    fork(drain(outbox, write))
    fork(drain(inbox, take))
    yield* Effect.addFinalizer(() => Effect.sync(() => end({ _tag: "ClosedByServer", code: 1001, reason: "" })))

    const offer = (outbound: Outbound) => Effect.sync(() => enqueue(outbound))
    const speechStarts = Effect.sync(() => session.turns.startSpeech())
    const speechEnds = (itemId: string, transcript: string) =>
      Effect.sync(() => session.turns.endSpeech(itemId, transcript))

    /**
     * A reader of received events also gets those that were sent at this very moment, but not those that a fault holds
     * back.
     */
    const upToDate = <A>(look: () => A, rounds = ROUNDS): Effect.Effect<A> =>
      Effect.suspend(() =>
        rounds === 0 || Option.getOrElse(inbox.unsafeSize(), () => 0) === 0
          ? Effect.succeed(look())
          : Effect.zipRight(Effect.yieldNow(), upToDate(look, rounds - 1))
      )

    const connection: ServerConnection = {
      number: options.number,
      received: upToDate(() => recorder.events),
      refused: upToDate(() => recorder.refusals),
      outputs: upToDate(() => [...session.conversation.outputs]),
      conversation: upToDate(() => session.conversation.snapshot()),
      userAudio: (itemId, contentIndex) => upToDate(() => session.conversation.audio(itemId, contentIndex)),
      session: upToDate(() => session.settings),
      next: (type) => recorder.next(type),
      push: (event) => offer({ _tag: "Text", text: JSON.stringify(event) }),
      pushText: (text) => offer({ _tag: "Text", text }),
      speechStarts,
      speechEnds,
      userSays: (transcript) => Effect.flatMap(speechStarts, (itemId) => speechEnds(itemId, transcript)),
      truncates: (share) => Effect.sync(() => session.truncateLast(share)),
      pressKey: (key) =>
        Effect.flatMap(Clock.currentTimeMillis, (ms) => offer({ _tag: "Text", text: keyPressed(key, ms) })),
      drop: Effect.sync(() => leave({ _tag: "Dropped" })),
      close: (code, reason = "") => Effect.sync(() => leave({ _tag: "ClosedByServer", code, reason })),
      ended: Deferred.await(ended)
    }
    return { connection, receive, hangUp: end }
  })
