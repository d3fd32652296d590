import * as Effect from "effect/Effect"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import type { SessionEvent } from "../../src/SessionEvent.js"
import { FakeCaller, MediaStream, PhoneCall, TwilioMediaStream } from "../../src/Telephony.js"

export const plainAgent = Agent.make("Receptionist", { instructions: "Answer the phone." })

/** 1 second for 10 characters. */
const voice = EmbeddedRealtime.silentVoice("100 millis")

/** A call that has begun, with its other ends: a caller, and a model with a script. */
export const call = <E, R, RO = never>(
  agent: Agent.Agent<E, R>,
  turns: ReadonlyArray<EmbeddedRealtime.Turn>,
  options: PhoneCall.Options<E, RO> = {},
  caller: FakeCaller.Options = {}
) =>
  Effect.gen(function* () {
    const model = yield* ScriptedModel.make(turns, { voice })
    const [phone, socket] = yield* FakeCaller.make(caller)
    const stream = yield* MediaStream.open(socket, caller.codec ?? TwilioMediaStream.codec)
    const events: Array<SessionEvent<E>> = []
    const phoneEvents: Array<PhoneCall.PhoneEvent> = []
    const live = yield* Effect.provide(
      PhoneCall.make(agent, stream, {
        ...options,
        session: {
          ...options.session,
          onEvent: (event) => {
            events.push(event)
            options.session?.onEvent?.(event)
          }
        },
        onPhoneEvent: (event) => {
          phoneEvents.push(event)
        }
      }),
      model.layer
    )
    return { model, phone, stream, live, events, phoneEvents }
  })

export const silent = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0xff)
