import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import type { SessionEvent } from "../../src/SessionEvent.js"
import { FakeCaller, MediaStream, PhoneCall, TwilioMediaStream } from "../../src/Telephony.js"
import * as VirtualTime from "../../src/testing/VirtualTime.js"

class Time extends Context.Tag("test/telephony/Time")<Time, VirtualTime.VirtualTime>() {}

/** Lets time pass, much faster than a `TestClock` does: a call has a frame every 20 ms. */
export const adjust = (duration: Duration.DurationInput): Effect.Effect<void, never, Time> =>
  Effect.flatMap(Time, (time) => time.pass(Duration.toMillis(duration)))

/** Runs a program in virtual time. */
export const inTime = async <A, E>(program: Effect.Effect<A, E, Scope.Scope | Time>): Promise<A> => {
  const time = VirtualTime.make()
  const timed = program.pipe(Effect.scoped, Effect.provideService(Time, time), Effect.withClock(time.clock))
  const fiber = Effect.runFork(timed, { scheduler: time.scheduler })
  const exit = await new Promise<Exit.Exit<A, E>>((resolve) => fiber.addObserver(resolve))
  return Exit.getOrElse(exit, (cause) => {
    throw Cause.squash(cause)
  })
}

export const plainAgent = Agent.make("Receptionist", { instructions: "Answer the phone." })

/** 1 second for 10 characters. */
const voice = EmbeddedRealtime.silentVoice("100 millis")

/** A call that has begun, with its other ends: a caller, and a model with a script. */
export const call = <E, R, RO = never>(
  agent: Agent.Agent<E, R>,
  turns: ReadonlyArray<EmbeddedRealtime.Turn>,
  options: PhoneCall.Options<E, RO> = {},
  caller: FakeCaller.Options = {},
  change: (stream: MediaStream.MediaStream) => MediaStream.MediaStream = (stream) => stream,
  server: Omit<EmbeddedRealtime.Options, "mind"> = {}
) =>
  Effect.gen(function* () {
    const model = yield* ScriptedModel.make(turns, { voice, ...server })
    const [phone, socket] = yield* FakeCaller.make(caller)
    const stream = change(yield* MediaStream.open(socket, caller.codec ?? TwilioMediaStream.codec))
    const events: Array<SessionEvent<E>> = []
    const phoneEvents: Array<PhoneCall.PhoneEvent> = []
    const live = yield* Effect.provide(
      PhoneCall.make(agent, stream, {
        ...options,
        session: {
          ...options.session,
          onEvent: (event) => {
            events.push(event)
            return options.session?.onEvent?.(event)
          }
        },
        onPhoneEvent: (event) => {
          phoneEvents.push(event)
          return options.onPhoneEvent?.(event)
        }
      }),
      model.layer
    )
    return { model, phone, stream, live, events, phoneEvents }
  })

/** All audio of the caller that the model got. */
export const sentAudio = (sent: ReadonlyArray<ClientEvent>): Uint8Array => {
  const chunks = sent.flatMap((event) =>
    event.type === "input_audio_buffer.append" ? [Uint8Array.from(Buffer.from(event.audio, "base64"))] : []
  )
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]))
}
