import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { describe, expect, expectTypeOf, it } from "vitest"
import * as Agent from "../../src/Agent.js"
import { ConnectFailed, RealtimeModel } from "../../src/RealtimeModel.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import { call as calls, pause, say } from "../../src/ScriptedModel.js"
import type { SessionError } from "../../src/SessionError.js"
import {
  FakeCaller,
  type FormatUnsupported,
  MediaStream,
  PhoneCall,
  PhoneTools,
  PlivoMediaStream,
  type Recording,
  TelnyxMediaStream,
  TransferFailed,
  TwilioMediaStream,
  VonageMediaStream
} from "../../src/Telephony.js"
import * as Tool from "../../src/Tool.js"
import type { ToolError } from "../../src/ToolError.js"
import { adjust, call, inTime, plainAgent, sentAudio } from "./harness.js"

const tagsOf = (events: ReadonlyArray<{ readonly _tag: string }>) => events.map(({ _tag }) => _tag)
const loud = (ms: number) => new Uint8Array(ms * 8).fill(0x10)

type Connect = ReturnType<Context.Tag.Service<RealtimeModel>["connect"]>
type Change = (connect: Connect) => Connect

/** A call whose model is connected in a way of its own. */
const ringing = (change: Change) =>
  Effect.gen(function* () {
    const scripted = yield* ScriptedModel.make([[say("Hello.")]])
    const real = yield* Effect.provide(RealtimeModel, scripted.layer)
    let attempts = 0
    const model = RealtimeModel.of({
      connect: (config) => {
        attempts += 1
        return change(real.connect(config))
      }
    })
    const [phone, socket] = yield* FakeCaller.make()
    const stream = yield* MediaStream.open(socket, TwilioMediaStream.codec)
    return { attempts: () => attempts, model, phone, scripted, stream }
  })

describe("A phone call", () => {
  it("goes on when the application throws at an event of it, and says so to readers", () =>
    inTime(
      Effect.gen(function* () {
        const onPhoneEvent = () => {
          throw new Error("secret")
        }
        const { live, model, phone } = yield* call(plainAgent, [[say("Hello.")]], { onPhoneEvent })
        const read = yield* Effect.fork(Stream.runCollect(Stream.take(live.events, 2)))
        yield* adjust("1 second")
        yield* phone.press("5")
        yield* adjust("1 second")
        const [pressed, failed] = [...(yield* Fiber.join(read))]
        expect(pressed).toEqual({ _tag: "DigitPressed", digit: "5" })
        expect(failed).toMatchObject({ _tag: "ListenerFailed", message: expect.stringContaining("onPhoneEvent threw") })
        expect(JSON.stringify(failed)).not.toContain("secret")
        yield* Effect.fork(phone.say(loud(1_000)))
        yield* adjust("2 seconds")
        expect(sentAudio(yield* model.sent).length).toBeGreaterThanOrEqual(7_840)
      })
    ))

  it("begins with the agent, and ends when the caller hangs up", () =>
    inTime(
      Effect.gen(function* () {
        const { events, live, model, phone } = yield* call(plainAgent, [[say("Hello, who is there?")]])
        yield* adjust("5 seconds")
        const commands = yield* phone.commands
        expect(yield* phone.problems).toEqual([])
        const played = commands.flatMap((command) => (command._tag === "Play" ? [command.bytes.length] : []))
        expect(played.reduce((sum, length) => sum + length, 0)).toBe(2_000 * 8)
        expect(commands.filter(({ _tag }) => _tag === "Mark").length).toBe(20)
        expect(tagsOf(events)).toContain("ResponseDone")
        yield* phone.hangUp
        expect(yield* live.ended).toEqual({ _tag: "CallerHungUp" })
        expect(yield* model.refused).toEqual([])
        expect(yield* phone.closed).toEqual({ code: 1_000, reason: "" })
      })
    ))

  it("asks for the format of the line, whatever the agent says, and for nothing if the caller is to speak first", () =>
    inTime(
      Effect.gen(function* () {
        const agent = Agent.make("A", {
          instructions: "Listen.",
          settings: { audio: { output: { voice: "marin", format: { type: "audio/pcm", rate: 24_000 } } } }
        })
        const { model } = yield* call(agent, [], { speaksFirst: false })
        const connection = yield* model.connection
        yield* adjust("1 second")
        expect(yield* connection.session).toMatchObject({
          audio: {
            input: { format: { type: "audio/pcmu" } },
            output: { voice: "marin", format: { type: "audio/pcmu" } }
          }
        })
        expect(tagsOf((yield* model.sent).map(({ type }) => ({ _tag: type })))).not.toContain("response.create")
      })
    ))

  it("sends a little ahead of the ear, and no more", () =>
    inTime(
      Effect.gen(function* () {
        const { phone } = yield* call(plainAgent, [[say("x".repeat(100))]], { lead: "500 millis" })
        for (let second = 0; second < 9; second++) {
          yield* adjust("1 second")
          const waiting = yield* phone.waitingMs
          expect(waiting).toBeGreaterThanOrEqual(460)
          expect(waiting).toBeLessThanOrEqual(600)
        }
      })
    ))

  it("takes the caller's audio as it is", () =>
    inTime(
      Effect.gen(function* () {
        const { model, phone } = yield* call(plainAgent, [], { speaksFirst: false })
        const said = Uint8Array.from({ length: 1_600 }, (_, index) => index % 251)
        yield* Effect.fork(phone.say(said))
        yield* adjust("1 second")
        const sent = sentAudio(yield* model.sent)
        expect(sent.length).toBe(8_000)
        expect(sent.subarray(0, 1_600)).toEqual(said)
        expect(sent.subarray(1_600).every((byte) => byte === 0xff)).toBe(true)
      })
    ))
})

describe("A caller who hangs up while the model is being connected", () => {
  const unreachable = new ConnectFailed({ url: "wss://model", message: "It could not be reached." })
  const connects = [
    ["never answers", () => Effect.never],
    ["never answers, and cannot be interrupted", () => Effect.uninterruptible(Effect.never)],
    ["is slow to answer", (connect) => Effect.delay(connect, "8 seconds")],
    ["fails after a while", () => Effect.delay(unreachable, "10 seconds")]
  ] satisfies ReadonlyArray<readonly [string, Change]>
  it.each(connects)("has ended the call at once, and nobody speaks, if it %s", (_, change) =>
    inTime(
      Effect.gen(function* () {
        const { attempts, model, phone, scripted, stream } = yield* ringing(change)
        const running = yield* PhoneCall.run(plainAgent, stream).pipe(
          Effect.provideService(RealtimeModel, model),
          Effect.forkDaemon
        )
        yield* adjust("100 millis")
        const before = attempts()
        yield* phone.hangUp
        yield* adjust("10 millis")
        expect(yield* Fiber.poll(running)).toEqual(Option.some(Exit.succeed({ _tag: "CallerHungUp" })))
        yield* adjust("1 minute")
        expect(attempts()).toBe(before)
        expect((yield* scripted.sent).map(({ type }) => type)).not.toContain("response.create")
      })
    )
  )

  it("leaves no call to whoever makes one", () =>
    inTime(
      Effect.gen(function* () {
        const { model, phone, stream } = yield* ringing(() => Effect.never)
        const made = yield* PhoneCall.make(plainAgent, stream).pipe(
          Effect.provideService(RealtimeModel, model),
          Effect.flip,
          Effect.fork
        )
        yield* adjust("1 second")
        yield* phone.hangUp
        expect(yield* Fiber.join(made)).toMatchObject({ _tag: "CallGone", callId: stream.info.callId })
      })
    ))
})

describe("A call that its application gives up", () => {
  const changes = [
    ["while it goes on", (connect) => connect],
    ["while the model is being connected", () => Effect.never]
  ] satisfies ReadonlyArray<readonly [string, Change]>
  it.each(changes)("leaves nobody on a silent line, %s", (_, change) =>
    inTime(
      Effect.gen(function* () {
        const { model, phone, stream } = yield* ringing(change)
        const running = yield* PhoneCall.run(plainAgent, stream).pipe(
          Effect.timeoutOption("10 seconds"),
          Effect.provideService(RealtimeModel, model),
          Effect.fork
        )
        const closed = yield* Effect.fork(phone.closed)
        yield* adjust("9 seconds")
        expect(yield* Fiber.poll(closed)).toEqual(Option.none())
        yield* adjust("2 seconds")
        expect(yield* Fiber.poll(closed)).toEqual(Option.some(Exit.succeed({ code: 1_000, reason: "" })))
        expect(yield* Fiber.join(running)).toEqual(Option.none())
      })
    )
  )
})

describe("A caller who interrupts", () => {
  const story = say("This is a long sentence that nobody wants to hear.")

  it("hears nothing more, and the conversation keeps what was heard", () =>
    inTime(
      Effect.gen(function* () {
        const { events, model, phone, phoneEvents } = yield* call(plainAgent, [[story], [say("Yes?")]])
        yield* adjust("1510 millis")
        const connection = yield* model.connection
        yield* connection.speechStarts
        yield* adjust("20 millis")
        const truncated = yield* model.next("conversation.item.truncate")
        expect(truncated.audio_end_ms).toBe(1_500)
        expect(phoneEvents).toContainEqual({ _tag: "SpeechCleared" })
        expect(tagsOf(events)).toContain("AudioInterrupted")
        expect(yield* phone.waitingMs).toBe(0)
        expect(tagsOf(yield* phone.commands).at(-1)).toBe("Clear")
        // The marks of what was cleared come back, and say nothing.
        yield* adjust("10 seconds")
        expect((yield* model.sent).filter(({ type }) => type === "conversation.item.truncate").length).toBe(1)
      })
    ))

  it("is obeyed by the vendor before the conversation is cut", () =>
    inTime(
      Effect.gen(function* () {
        const order: Array<string> = []
        const { model, phone } = yield* call(
          plainAgent,
          [[story]],
          {},
          {},
          (stream) => ({
            ...stream,
            clear: Effect.zipRight(
              stream.clear,
              Effect.sync(() => order.push("cleared"))
            )
          }),
          {
            observe: (activity) => {
              if (activity._tag === "Received") order.push(String(activity.event["type"]))
            }
          }
        )
        yield* adjust("1 second")
        yield* (yield* model.connection).speechStarts
        yield* adjust("20 millis")
        expect(order.filter((what) => /cleared|truncate/.test(what))).toEqual(["cleared", "conversation.item.truncate"])
        expect(tagsOf(yield* phone.commands)).toContain("Clear")
      })
    ))

  it("after the model is done, while the vendor still plays, cuts it too", () =>
    inTime(
      Effect.gen(function* () {
        const { events, model } = yield* call(plainAgent, [[say("Good morning.")]])
        yield* adjust("500 millis")
        expect(tagsOf(events)).toContain("ResponseDone")
        yield* (yield* model.connection).speechStarts
        yield* adjust("20 millis")
        expect((yield* model.next("conversation.item.truncate")).audio_end_ms).toBe(500)
      })
    ))

  it("after everything was heard, cuts nothing", () =>
    inTime(
      Effect.gen(function* () {
        const { model, phone } = yield* call(plainAgent, [[say("Hello.")]])
        yield* adjust("1 second")
        yield* (yield* model.connection).speechStarts
        yield* adjust("1 second")
        const types = (yield* model.sent).map(({ type }) => type)
        expect(types).not.toContain("conversation.item.truncate")
        expect(tagsOf(yield* phone.commands)).not.toContain("Clear")
      })
    ))
})

describe("A vendor's faults", () => {
  it("leave gaps, which are filled with silence and published", () =>
    inTime(
      Effect.gen(function* () {
        const { model, phone, phoneEvents } = yield* call(plainAgent, [], { speaksFirst: false })
        yield* adjust("200 millis")
        yield* phone.skip(300)
        yield* adjust("800 millis")
        expect(phoneEvents).toEqual([{ _tag: "GapFilled", ms: 300 }])
        expect(sentAudio(yield* model.sent).length).toBe(8_000)
      })
    ))

  it("fill a long gap only so far", () =>
    inTime(
      Effect.gen(function* () {
        const { model, phone, phoneEvents } = yield* call(plainAgent, [], { speaksFirst: false })
        yield* adjust("200 millis")
        yield* phone.skip(12_000)
        yield* adjust("13 seconds")
        expect(phoneEvents).toEqual([{ _tag: "GapFilled", ms: 10_000 }])
        expect(sentAudio(yield* model.sent).length).toBe(11_200 * 8)
      })
    ))

  it("bring audio in the wrong order, of which the older is dropped", () =>
    inTime(
      Effect.gen(function* () {
        const { model, phone, phoneEvents } = yield* call(plainAgent, [], { speaksFirst: false })
        yield* adjust("200 millis")
        yield* phone.swapNext
        yield* adjust("800 millis")
        expect(phoneEvents).toEqual([
          { _tag: "GapFilled", ms: 20 },
          { _tag: "LateMediaDropped", count: 1 }
        ])
        expect(sentAudio(yield* model.sent).length).toBe(8_000)
      })
    ))

  it("stop the audio while the caller speaks, so that silence ends the turn", () =>
    inTime(
      Effect.gen(function* () {
        const { events, model, phone, phoneEvents } = yield* call(plainAgent, [], { speaksFirst: false })
        yield* Effect.fork(phone.say(loud(5_000)))
        yield* adjust("500 millis")
        expect(tagsOf(events)).toContain("SpeechStarted")
        yield* phone.skip(600_000)
        const before = sentAudio(yield* model.sent).length
        yield* adjust("2 seconds")
        expect(phoneEvents).toEqual([{ _tag: "MediaStalled" }])
        expect(sentAudio(yield* model.sent).length - before).toBe(750 * 8)
        expect(tagsOf(events)).toContain("SpeechStopped")
      })
    ))

  it("such as junk, unknown events and a second start, are counted, and the call goes on", () =>
    inTime(
      Effect.gen(function* () {
        const { live, phone, phoneEvents } = yield* call(plainAgent, [], { speaksFirst: false })
        for (const frame of ["junk", new Uint8Array(3), '{"event":"sung"}', '{"event":"media","streamSid":"MZ1"}']) {
          yield* phone.send(frame)
        }
        yield* phone.start
        yield* adjust("100 millis")
        expect(phoneEvents.map((event) => (event._tag === "FrameIgnored" ? event.count : 0))).toEqual([1, 2, 3, 4, 5])
        yield* phone.hangUp
        expect(yield* live.ended).toEqual({ _tag: "CallerHungUp" })
      })
    ))

  const broken = [
    [
      "Vonage",
      { codec: VonageMediaStream.codec, format: { encoding: "audio/l16", sampleRate: 16_000, channels: 1 } },
      new Uint8Array(641)
    ],
    [
      "Telnyx",
      { codec: TelnyxMediaStream.codec, format: { encoding: "L16", sampleRate: 16_000, channels: 1 } },
      JSON.stringify({
        event: "media",
        stream_id: "MZ1",
        media: { track: "inbound", payload: Buffer.alloc(641).toString("base64") }
      })
    ]
  ] as const
  it.each(broken)("such as half a sample of %s, do not turn the rest of the call into noise", (...[, options, frame]) =>
    inTime(
      Effect.gen(function* () {
        const { model, phone, phoneEvents } = yield* call(plainAgent, [], { speaksFirst: false }, options)
        yield* adjust("100 millis")
        yield* phone.send(frame)
        const hum = Int16Array.from({ length: 16_000 }, (_, at) => Math.round(300 * Math.sin((at * Math.PI) / 40)))
        yield* Effect.fork(phone.say(new Uint8Array(hum.buffer)))
        yield* adjust("2 seconds")
        const samples = new Int16Array(sentAudio(yield* model.sent).buffer)
        const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
        expect(peak).toBeGreaterThan(200)
        expect(peak).toBeLessThan(400)
        expect(phoneEvents).toMatchObject([{ _tag: "FrameIgnored", reason: expect.stringContaining("half a sample") }])
      })
    )
  )

  it("such as a frame that is too long, end the call", () =>
    inTime(
      Effect.gen(function* () {
        const { live, phone } = yield* call(plainAgent, [])
        yield* phone.send("x".repeat(65_537))
        expect(yield* live.ended).toEqual({ _tag: "StreamLost" })
        expect((yield* phone.closed).code).toBe(1_009)
      })
    ))

  it("such as no end, or an end without closing, end the call all the same", () =>
    inTime(
      Effect.gen(function* () {
        const dropped = yield* call(plainAgent, [])
        yield* dropped.phone.drop
        expect(yield* dropped.live.ended).toEqual({ _tag: "StreamLost" })
        const stopped = yield* call(plainAgent, [])
        yield* stopped.phone.stop
        expect(yield* stopped.live.ended).toEqual({ _tag: "CallerHungUp" })
        expect((yield* stopped.phone.closed).code).toBe(1_000)
      })
    ))

  it("such as marks that never come back, leave what was sent as heard after a while", () =>
    inTime(
      Effect.gen(function* () {
        const { events, model } = yield* call(plainAgent, [[say("Hello.")]], {}, {}, (stream) => ({
          ...stream,
          mark: () => Effect.void
        }))
        yield* adjust("5500 millis")
        yield* (yield* model.connection).speechStarts
        yield* adjust("1 second")
        expect(tagsOf(events)).toContain("AudioInterrupted")
        const patient = yield* call(plainAgent, [[say("Hello.")]], {}, {}, (stream) => ({
          ...stream,
          mark: () => Effect.void
        }))
        yield* adjust("6 seconds")
        yield* (yield* patient.model.connection).speechStarts
        yield* adjust("1 second")
        expect(tagsOf(patient.events)).not.toContain("AudioInterrupted")
      })
    ))
})

describe("A stream", () => {
  it("that does not begin is closed after 10 seconds", () =>
    inTime(
      Effect.gen(function* () {
        const [phone, socket] = yield* FakeCaller.make({ starts: false })
        const opening = yield* Effect.fork(Effect.flip(MediaStream.open(socket, TwilioMediaStream.codec)))
        yield* adjust("9 seconds")
        expect(yield* Fiber.poll(opening)).toMatchObject({ _tag: "None" })
        yield* adjust("1 second")
        expect(yield* Fiber.join(opening)).toMatchObject({ _tag: "StreamProtocol", breach: "NoStart" })
        expect((yield* phone.closed).code).toBe(1_008)
      })
    ))

  it("that is closed before it begins, or has an unknown format, is a typed error", () =>
    inTime(
      Effect.gen(function* () {
        const [gone, socket] = yield* FakeCaller.make({ starts: false })
        yield* gone.drop
        const closed = yield* Effect.flip(MediaStream.open(socket, TwilioMediaStream.codec))
        expect(closed).toMatchObject({ _tag: "StreamProtocol", breach: "Closed" })
        const [opus, other] = yield* FakeCaller.make({ codec: TelnyxMediaStream.codec, starts: false })
        yield* opus.send(
          '{"event":"start","stream_id":"s","start":{"call_control_id":"c","media_format":{"encoding":"OPUS","sample_rate":48000}}}'
        )
        const error = yield* Effect.flip(MediaStream.open(other, TelnyxMediaStream.codec))
        expectTypeOf(error).toEqualTypeOf<FormatUnsupported | typeof closed>()
        expect(error).toMatchObject({ _tag: "FormatUnsupported", vendor: "Telnyx", encoding: "OPUS" })
        expect((yield* opus.closed).code).toBe(1_008)
      })
    ))

  const others = [
    [
      "Telnyx in A-law",
      { codec: TelnyxMediaStream.codec, format: { encoding: "PCMA", sampleRate: 8_000, channels: 1 } }
    ],
    ["Telnyx in L16", { codec: TelnyxMediaStream.codec, format: { encoding: "L16", sampleRate: 16_000, channels: 1 } }],
    ["Vonage", { codec: VonageMediaStream.codec, format: { encoding: "audio/l16", sampleRate: 16_000, channels: 1 } }],
    ["Plivo", { codec: PlivoMediaStream.codec, format: { encoding: "audio/x-l16", sampleRate: 8_000, channels: 1 } }]
  ] as const
  it.each(others)("of %s is talked over too", (...[, options]) =>
    inTime(
      Effect.gen(function* () {
        const { live, model, phone } = yield* call(plainAgent, [[say("Hello, who is there?")]], {}, options)
        yield* adjust("1 second")
        yield* (yield* model.connection).speechStarts
        yield* adjust("20 millis")
        expect((yield* model.next("conversation.item.truncate")).audio_end_ms).toBeGreaterThanOrEqual(800)
        expect(yield* phone.problems).toEqual([])
        yield* phone.press("5")
        yield* phone.hangUp
        expect(yield* live.ended).toEqual({ _tag: "CallerHungUp" })
      })
    )
  )
})

describe("Keys", () => {
  const collecting = Agent.make("Bank", {
    instructions: "Ask for the number.",
    tools: [PhoneTools.collectDigits({ max: 4 })]
  })
  const turns = [[say("Your number?"), calls("collect_digits", {}, { callId: "call_1" })], [say("Thank you.")]]
  const output = (text: string) => [{ callId: "call_1", output: text }]

  it("are published, and collected up to the terminator", () =>
    inTime(
      Effect.gen(function* () {
        const { model, phone, phoneEvents } = yield* call(collecting, turns)
        yield* adjust("3 seconds")
        for (const digit of ["1", "2", "#"]) {
          yield* phone.press(digit)
          yield* adjust("1 second")
        }
        expect(phoneEvents.map((event) => (event._tag === "DigitPressed" ? event.digit : ""))).toEqual(["1", "2", "#"])
        expect(yield* model.outputs).toEqual(output('{"digits":"12","endedBy":"terminator"}'))
      })
    ))

  it("are complete at the maximum, also those that were typed ahead", () =>
    inTime(
      Effect.gen(function* () {
        const { model, phone } = yield* call(collecting, [[pause("2 seconds"), ...(turns[0] ?? [])], [say("Thanks.")]])
        for (const digit of ["1", "2", "3", "4", "5"]) yield* phone.press(digit)
        yield* adjust("5 seconds")
        expect(yield* model.outputs).toEqual(output('{"digits":"1234","endedBy":"maximum"}'))
      })
    ))

  it("that do not come end the waiting, once the agent has stopped speaking", () =>
    inTime(
      Effect.gen(function* () {
        const { model, phone } = yield* call(collecting, turns)
        yield* adjust("1 second")
        yield* phone.press("7")
        yield* adjust("4900 millis")
        expect(yield* model.outputs).toEqual([])
        yield* adjust("200 millis")
        expect(yield* model.outputs).toEqual(output('{"digits":"7","endedBy":"time"}'))
        const silent = yield* call(collecting, turns)
        yield* adjust("11 seconds")
        expect(yield* silent.model.outputs).toEqual([])
        yield* adjust("1 second")
        expect(yield* silent.model.outputs).toEqual(output('{"digits":"","endedBy":"time"}'))
      })
    ))
})

describe("Hanging up", () => {
  const polite = Agent.make("Clerk", {
    instructions: "Help.",
    tools: [PhoneTools.hangUp(), PhoneTools.transfer({ sales: "+4930", support: "+4940" })]
  })
  const goodbye = [[calls("hang_up")], [say("Goodbye, and thank you.")]]

  it("answers the call, lets the caller hear the goodbye, and then closes", () =>
    inTime(
      Effect.gen(function* () {
        const { live, model, phone } = yield* call(polite, goodbye)
        yield* adjust("2 seconds")
        expect((yield* model.outputs).length).toBe(1)
        expect(yield* phone.waitingMs).toBeGreaterThan(0)
        yield* adjust("1 second")
        expect(yield* live.ended).toEqual({ _tag: "AgentHungUp" })
        expect(yield* phone.waitingMs).toBe(0)
        expect((yield* phone.closed).code).toBe(1_000)
      })
    ))

  it("is called off if the caller interrupts the goodbye", () =>
    inTime(
      Effect.gen(function* () {
        const { live, model, phoneEvents } = yield* call(polite, [...goodbye, [say("Yes?")], ...goodbye])
        yield* adjust("1 second")
        const connection = yield* model.connection
        yield* connection.userSays("Wait!")
        yield* adjust("20 seconds")
        expect(tagsOf(phoneEvents)).toContain("GoodbyeInterrupted")
        const ending = yield* Effect.fork(live.ended)
        yield* adjust("1 second")
        expect(yield* Fiber.poll(ending)).toMatchObject({ _tag: "None" })
        yield* connection.userSays("Bye.")
        yield* adjust("4 seconds")
        expect(yield* live.ended).toEqual({ _tag: "AgentHungUp" })
      })
    ))

  for (const [when, turn] of [
    ["in the response that called the tool", [[calls("hang_up"), pause("2 seconds"), say("Goodbye.")]]],
    ["when the goodbye was asked for", [[calls("hang_up")], [pause("2 seconds"), say("Goodbye.")]]]
  ] as const) {
    it(`is called off if the caller says "wait" before the goodbye is heard, ${when}`, () =>
      inTime(
        Effect.gen(function* () {
          const { live, model, phoneEvents } = yield* call(polite, [...turn, [say("Sure?")], [say("At five.")]])
          yield* adjust("1 second")
          yield* (yield* model.connection).userSays("Wait, one more thing!")
          const ending = yield* Effect.fork(live.ended)
          yield* adjust("20 seconds")
          expect(yield* Fiber.poll(ending)).toMatchObject({ _tag: "None" })
          expect(tagsOf(phoneEvents)).toEqual(["HangUpRequested", "GoodbyeInterrupted"])
        })
      ))
  }

  it("does not wait forever for a goodbye", () =>
    inTime(
      Effect.gen(function* () {
        const { live } = yield* call(polite, [[calls("hang_up")], [pause("1 minute"), say("Goodbye.")]])
        yield* adjust("15 seconds")
        expect(yield* live.ended).toEqual({ _tag: "AgentHungUp" })
      })
    ))

  it("lets the caller hear the goodbye again, if the connection to the model drops in the middle of it", () =>
    inTime(
      Effect.gen(function* () {
        const { events, live, model } = yield* call(polite, [
          [calls("hang_up")],
          [say("Well, then"), pause("2 seconds"), say("goodbye.")],
          [say("Goodbye.")]
        ])
        yield* adjust("1500 millis")
        yield* model.drop()
        yield* adjust("5 seconds")
        expect(yield* live.ended).toEqual({ _tag: "AgentHungUp" })
        const said = events.flatMap((event) => (event._tag === "TextCompleted" ? [event.text] : []))
        expect(said).toEqual(["Well, then", "Goodbye."])
      })
    ))

  it("by the application is at once", () =>
    inTime(
      Effect.gen(function* () {
        const { live, phone } = yield* call(polite, [[say("x".repeat(100))]])
        yield* adjust("1 second")
        yield* live.hangUp
        expect(yield* live.ended).toEqual({ _tag: "Closed" })
        expect((yield* phone.closed).code).toBe(1_000)
      })
    ))

  it("with a transfer connects the caller after the goodbye", () =>
    inTime(
      Effect.gen(function* () {
        const dialled: Array<string> = []
        const { live } = yield* call(
          polite,
          [[calls("transfer_call", { destination: "sales" })], [say("One moment.")]],
          {
            transfer: (destination) => Effect.sync(() => void dialled.push(destination))
          }
        )
        yield* adjust("1 second")
        expect(dialled).toEqual([])
        yield* adjust("1 second")
        expect(yield* live.ended).toEqual({ _tag: "Transferred", destination: "+4930" })
        expect(dialled).toEqual(["+4930"])
      })
    ))

  it("with a transfer is one also where the vendor ends the stream before it says that it has the call", () =>
    inTime(
      Effect.gen(function* () {
        const { live, model, phone } = yield* call(
          polite,
          [[calls("transfer_call", { destination: "sales" })], [say("One.")]],
          { transfer: () => Effect.sleep("3 seconds") }
        )
        yield* adjust("1 second")
        yield* phone.stop
        yield* adjust("1 second")
        // The model hears and says nothing more.
        expect(yield* live.session.openCalls).toEqual([])
        expect(yield* Effect.exit(live.session.interrupt)).toMatchObject({ _tag: "Failure" })
        yield* adjust("2 seconds")
        expect(yield* live.ended).toEqual({ _tag: "Transferred", destination: "+4930" })
        expect(yield* model.refused).toEqual([])
      })
    ))

  it("with a transfer that fails when the caller has hung up is the caller's", () =>
    inTime(
      Effect.gen(function* () {
        const { live, phone } = yield* call(
          polite,
          [[calls("transfer_call", { destination: "sales" })], [say("One.")]],
          {
            transfer: (destination) =>
              Effect.delay(Effect.fail(new TransferFailed({ destination, message: "The call is over." })), "3 seconds")
          }
        )
        yield* adjust("1 second")
        yield* phone.hangUp
        yield* adjust("3 seconds")
        expect(yield* live.ended).toEqual({ _tag: "CallerHungUp" })
      })
    ))

  for (const [what, next] of [
    ["another", calls("transfer_call", { destination: "support" })],
    ["a hang-up", calls("hang_up")]
  ] as const) {
    it(`with a transfer waits for its end before ${what}, because the vendor may have taken the call`, () =>
      inTime(
        Effect.gen(function* () {
          const dialled: Array<string> = []
          const { live, model, phoneEvents } = yield* call(
            polite,
            [[calls("transfer_call", { destination: "sales" })], [say("One.")], [next], [say("Two.")]],
            {
              transfer: (destination) =>
                Effect.zipRight(
                  Effect.sync(() => dialled.push(destination)),
                  Effect.sleep("8 seconds")
                )
            }
          )
          yield* adjust("2 seconds")
          yield* (yield* model.connection).userSays("No!")
          yield* adjust("10 seconds")
          expect(phoneEvents).toHaveLength(2)
          expect(yield* live.ended).toEqual({ _tag: "Transferred", destination: "+4930" })
          expect(dialled).toEqual(["+4930"])
        })
      ))
  }

  it("with a transfer that fails goes on, and the model is told", () =>
    inTime(
      Effect.gen(function* () {
        const { model, phoneEvents } = yield* call(
          polite,
          [[calls("transfer_call", { destination: "sales" })], [say("One moment.")], [say("Sorry.")]],
          { transfer: (destination) => new TransferFailed({ destination, message: "Nobody is there." }) }
        )
        yield* adjust("3 seconds")
        expect(phoneEvents).toContainEqual({
          _tag: "TransferFailed",
          destination: "+4930",
          message: "Nobody is there."
        })
        const sent = JSON.stringify(yield* model.sent)
        expect(sent).toContain("could not be connected")
        // The model may repeat what it reads.
        expect(sent).not.toContain("+4930")
      })
    ))

  for (const [what, transfer, message] of [
    ["dies", Effect.die("no"), "The option `transfer` died."],
    ["hangs", Effect.never, "The option `transfer` took longer than `transferWithin`."]
  ] as const) {
    it(`with a transfer that ${what} goes on, and the caller is still heard`, () =>
      inTime(
        Effect.gen(function* () {
          const { model, phone, phoneEvents } = yield* call(
            polite,
            [[calls("transfer_call", { destination: "sales" })], [say("One moment.")], [say("Sorry.")]],
            { transfer: () => transfer, transferWithin: "5 seconds" }
          )
          yield* adjust("3 seconds")
          const before = sentAudio(yield* model.sent).length
          yield* Effect.fork(phone.say(loud(1_000)))
          yield* adjust("1 second")
          expect(sentAudio(yield* model.sent).length).toBeGreaterThanOrEqual(before + 7_840)
          yield* adjust("4 seconds")
          expect(phoneEvents).toContainEqual({ _tag: "TransferFailed", destination: "+4930", message })
          expect(JSON.stringify(yield* model.sent)).toContain("could not be connected")
        })
      ))
  }

  it("of the caller interrupts the tools", () =>
    inTime(
      Effect.gen(function* () {
        const interrupted = yield* Deferred.make<void>()
        const slow = Tool.make("slow", {
          description: "Takes long",
          handler: () => Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))
        })
        const agent = Agent.make("A", { instructions: "Wait.", tools: [slow] })
        const { phone } = yield* call(agent, [[calls("slow")]])
        yield* adjust("1 second")
        yield* phone.hangUp
        yield* Deferred.await(interrupted)
      })
    ))
})

describe("The types of a phone call", () => {
  class Ledger extends Context.Tag("test/Ledger")<Ledger, { readonly pay: Effect.Effect<void> }>() {}
  class Disk extends Context.Tag("test/Disk")<Disk, { readonly path: string }>() {}
  class Broke extends Schema.TaggedError<Broke>()("Broke", {}) {}
  const pay = Tool.make("pay", {
    description: "Pays",
    failure: Broke,
    handler: () => Effect.flatMap(Ledger, (ledger) => Effect.zipRight(ledger.pay, new Broke()))
  })
  const agent = Agent.make("Cashier", { instructions: "Pay.", tools: [pay, PhoneTools.hangUp()] })

  it("are what its tools fail with and require, without the call itself", () => {
    const run = (stream: MediaStream.MediaStream) => PhoneCall.run(agent, stream)
    expectTypeOf(run).returns.toEqualTypeOf<
      Effect.Effect<PhoneCall.Ending, SessionError | ToolError<Broke>, RealtimeModel | Ledger>
    >()
    const recorded = (stream: MediaStream.MediaStream, record: Recording.Recording<Disk>) =>
      PhoneCall.run(agent, stream, { record })
    expectTypeOf(recorded).returns.toEqualTypeOf<
      Effect.Effect<PhoneCall.Ending, SessionError | ToolError<Broke>, RealtimeModel | Ledger | Disk>
    >()
    expectTypeOf(PhoneTools.hangUp()).toEqualTypeOf<Tool.Tool<"hang_up", never, PhoneCall.Current>>()
  })
})
