import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as Mind from "../../src/embedded/Mind.js"
import * as Handoff from "../../src/Handoff.js"
import { RealtimeModel } from "../../src/RealtimeModel.js"
import * as Session from "../../src/Session.js"
import * as Tool from "../../src/Tool.js"
import { recording } from "../session/harness.js"
import * as GeminiServer from "./GeminiServer.js"
import { modelOf } from "./inMemory.js"

const { call, say, stall } = Mind

class NoStation extends Schema.TaggedError<NoStation>()("NoStation", { city: Schema.String }) {}

const weather = Tool.make("get_weather", {
  description: "The weather",
  parameters: { city: Schema.String },
  failure: NoStation,
  handler: ({ city }) => (city === "Atlantis" ? new NoStation({ city }) : Effect.succeed(`Sunny in ${city}.`))
})
const waits = Tool.make("waits", { description: "", timeout: "2 minutes", handler: () => Effect.never })
const dies = Tool.make("dies", { description: "", handler: () => Effect.die("TOP-SECRET") })
const slow = Tool.make("slow", { description: "", handler: () => Effect.as(Effect.sleep("2 seconds"), "slow") })
const desk = Agent.make("Desk", { instructions: "Be brief.", tools: [weather, waits, dies, slow] })

const text: Session.Options = { settings: { output_modalities: ["text"] } }
const transcribed: Session.Options = { settings: { audio: { input: { transcription: {} } } } }

const open = <E, R>(
  agent: Agent.Agent<E, R>,
  turns: ReadonlyArray<Mind.Turn>,
  options: Session.Options = text,
  more: Omit<GeminiServer.Options, "mind"> = {},
  manner: { readonly takesWordsAsInput?: boolean } = {}
) =>
  Effect.gen(function* () {
    const server = yield* GeminiServer.make({ mind: Mind.script(turns), ...more })
    const session = yield* Session.make(agent, options).pipe(
      Effect.provideService(RealtimeModel, modelOf(server, {}, manner))
    )
    const recorded = yield* recording(session)
    const connection = () => {
      const last = server.connections.at(-1)
      if (last === undefined) throw new Error("There is no connection.")
      return last
    }
    return { server, session, connection, ...recorded }
  })

const kinds = (messages: ReadonlyArray<GeminiServer.Json>) => messages.map((message) => Object.keys(message)[0])

describe("A session with Gemini", () => {
  it.scoped("begins with the setup, and answers words", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Hello there.")]])
      const { setup } = h.connection()
      expect(setup()).toMatchObject({
        model: "models/gemini-test",
        systemInstruction: { parts: [{ text: "Be brief." }] },
        generationConfig: { responseModalities: ["TEXT"] }
      })
      yield* h.session.sendText("Hello!")
      const { text } = yield* h.first("TextCompleted")
      expect(text).toBe("Hello there.")
      const { status, usage } = yield* h.first("ResponseDone")
      expect([status, usage?.total_tokens]).toEqual(["completed", 8])
      expect(kinds(h.connection().received)).toEqual(["setup", "clientContent", "clientContent"])
      expect(h.connection().mistakes).toEqual([])
    })
  )

  it.scoped("gives each call its output, whatever its handler does, and asks for no answer that comes by itself", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [
        [
          call("get_weather", { city: "Paris" }, { callId: "a" }),
          call("get_weather", { city: "Atlantis" }, { callId: "b" }),
          call("dies", {}, { callId: "c" }),
          call("get_weather", { city: 7 }, { callId: "d" }),
          call("no_such_tool", {}, { callId: "e" })
        ],
        [say("Done.")]
      ])
      yield* h.session.sendText("What is the weather?")
      yield* h.first("TextCompleted")
      const { mistakes, responses } = h.connection()
      expect(responses.map(({ id }) => id).toSorted()).toEqual(["a", "b", "c", "d", "e"])
      expect(responses.find(({ id }) => id === "a")?.response).toEqual({ output: "Sunny in Paris." })
      expect(responses.find(({ id }) => id === "b")?.response).toMatchObject({ error: { type: "NoStation" } })
      expect(JSON.stringify(responses)).not.toContain("TOP-SECRET")
      expect(
        h
          .all("ToolFailed")
          .map(({ error }) => error._tag)
          .toSorted()
      ).toEqual(["InvalidArguments", "ToolDefect", "ToolFailure", "ToolNotFound"])
      expect(mistakes).toEqual([])
      // One to ask, five outputs; what follows comes by itself.
      expect(kinds(h.connection().received).filter((kind) => kind === "clientContent")).toHaveLength(2)
    })
  )

  it.scoped("publishes a call without a name, and gives it an output: Gemini waits for it", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[call("")], [say("Sorry.")]])
      yield* h.session.sendText("Hello?")
      yield* h.first("TextCompleted")
      expect(h.all("ToolFailed")).toMatchObject([{ call: { tool: "" }, error: { _tag: "ToolNotFound" } }])
      expect(h.connection().responses).toMatchObject([{ response: { error: { type: "ToolNotFound" } } }])
    })
  )

  it.scoped("stops the tool of a call that Gemini takes back, and sends no output for it", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[call("waits", {}, { callId: "a" })], [say("As you like.")]])
      yield* h.session.sendText("Wait.")
      yield* h.first("ToolStarted")
      h.connection().userSays("Never mind.")
      const { error } = yield* h.first("ToolFailed")
      expect(error).toMatchObject({ _tag: "ToolInterrupted", by: "model" })
      yield* h.first("TextCompleted")
      expect(h.connection().responses).toEqual([])
      expect(h.connection().mistakes).toEqual([])
      expect(h.all("ResponseStalled")).toEqual([])
    })
  )

  it.scoped("asks for no answer where Gemini takes back one of two calls, and answers the user by itself", () =>
    Effect.gen(function* () {
      const both = [call("get_weather", { city: "Paris" }, { callId: "a" }), call("waits", {}, { callId: "b" })]
      const h = yield* open(desk, [both, [say("As you like.")], [say("And again.")]])
      yield* h.session.sendText("Look, and wait.")
      yield* h.first("ToolSucceeded")
      h.connection().userSays("Never mind.")
      yield* h.first("ToolFailed")
      yield* h.first("TextCompleted")
      yield* TestClock.adjust("1 minute")
      expect(h.all("TextCompleted").map(({ text }) => text)).toEqual(["As you like."])
      expect(kinds(h.connection().received)).toEqual(["setup", "clientContent", "clientContent", "toolResponse"])
      expect(h.connection().mistakes).toEqual([])
    })
  )

  it.scoped("asks for the answer to who made Gemini take a call back, where the connection is lost before it", () =>
    Effect.gen(function* () {
      const both = [call("get_weather", { city: "Paris" }, { callId: "a" }), call("waits", {}, { callId: "b" })]
      const h = yield* open(desk, [both, [say("As you like.")]])
      yield* h.session.sendText("Look, and wait.")
      yield* h.first("ToolSucceeded")
      h.server.forgetHandles()
      h.connection().takeBack(["b"])
      h.connection().close(1011)
      yield* h.first("ToolFailed")
      yield* TestClock.adjust("5 seconds")
      yield* h.first("Reconnected")
      expect(yield* h.first("TextCompleted")).toMatchObject({ text: "As you like." })
    })
  )

  it.scoped("asks for an answer to the outputs of the calls that Gemini does not take back", () =>
    Effect.gen(function* () {
      const both = [call("slow", {}, { callId: "a" }), call("waits", {}, { callId: "b" })]
      const h = yield* open(desk, [both, [say("Done.")]])
      yield* h.session.sendText("Wait twice.")
      yield* h.nth("ToolStarted", 2)
      h.connection().takeBack(["b"])
      yield* h.first("ToolFailed")
      yield* TestClock.adjust("2 seconds")
      expect(yield* h.first("TextCompleted")).toMatchObject({ text: "Done." })
      expect(h.all("ResponseStarted").at(-1)?.cause?.callIds).toEqual(["a"])
    })
  )

  it.scoped("cuts what was not heard where the user interrupts, and knows what the user said", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [[say("A very long story that nobody wants to hear."), stall], [say("Yes?")]],
        transcribed
      )
      yield* h.session.sendText("Tell me a story.")
      yield* h.first("ResponseStarted")
      yield* TestClock.adjust("1 second")
      h.connection().userSays("Stop it.")
      yield* h.first("AudioInterrupted")
      const { reason, status } = yield* h.first("ResponseDone")
      expect([status, reason]).toEqual(["cancelled", "turn_detected"])
      const { transcript } = yield* h.first("UserTranscriptCompleted")
      expect(transcript).toBe("Stop it.")
      const { text } = yield* h.nth("TextCompleted", 1)
      expect(text).toBe("Yes?")
      const { items } = yield* h.session.conversation
      expect(items.map((item) => (item._tag === "Message" ? item.role : item._tag))).toEqual([
        "user",
        "assistant",
        "user",
        "assistant"
      ])
      // Gemini keeps its own record of what it said: nothing is truncated there.
      expect(kinds(h.connection().received)).toEqual(["setup", "clientContent", "clientContent"])
    })
  )

  it.scoped("passes nothing on of a turn that the application stopped, nor leaves its calls without an answer", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [
        [say("One."), Mind.pause("1 second"), call("get_weather", { city: "Paris" }, { callId: "a" })],
        [say("Two.")],
        [say("Three.")]
      ])
      yield* h.session.sendText("Count.")
      yield* h.first("TextDelta")
      yield* h.session.interrupt
      const { status } = yield* h.first("ResponseDone")
      expect(status).toBe("cancelled")
      yield* TestClock.adjust("2 seconds")
      expect(h.all("ToolStarted")).toEqual([])
      yield* h.session.sendText("Go on.")
      const { text } = yield* h.first("TextCompleted")
      expect(text).toBe("Three.")
      expect(h.connection().responses).toMatchObject([{ id: "a", response: { error: expect.any(String) } }])
    })
  )

  it.scoped("waits as long as a long answer is played", () =>
    Effect.gen(function* () {
      const long = say("x".repeat(1_500))
      const h = yield* open(desk, [[long], [say("Bye.")]], {}, { waitsForPlayback: true })
      yield* h.session.sendText("Read it to me.")
      yield* h.first("AudioCompleted")
      yield* TestClock.adjust("80 seconds")
      expect(h.all("ResponseStalled")).toEqual([])
      yield* TestClock.adjust("20 seconds")
      expect((yield* h.first("ResponseDone")).status).toBe("completed")
    })
  )

  it.scoped(
    "takes a connection that Gemini will end soon as the sign to go on with another, where nothing is lost",
    () =>
      Effect.gen(function* () {
        const h = yield* open(desk, [[say("One.")], [say("Two.")]])
        yield* h.session.sendText("Count.")
        yield* h.first("ResponseDone")
        h.connection().goAway("10s")
        yield* TestClock.adjust("1 second")
        const { replayed } = yield* h.first("Reconnected")
        expect(replayed).toBe(0)
        expect(h.connection().setup()).toMatchObject({ sessionResumption: { handle: "handle_1_2" } })
        yield* h.session.sendText("Go on.")
        yield* h.nth("TextCompleted", 2)
        expect(h.connection().contents()).toHaveLength(4)
        expect(h.connection().number).toBe(2)
      })
  )

  it.scoped("takes a call that is taken back as the sign that the user speaks, also where the answer is nothing", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[call("get_weather", {}, { callId: "a" }), call("waits", {}, { callId: "b" })], []])
      yield* h.session.sendText("Wait.")
      yield* h.first("ToolFailed")
      h.connection().userSays("Never mind.")
      const { responseId } = yield* h.nth("ResponseDone", 2)
      expect(h.all("SpeechStarted")).toHaveLength(1)
      yield* TestClock.adjust("5 minutes")
      expect(h.all("ResponseStarted").at(-1)?.responseId).toBe(responseId)
    })
  )

  it.scoped("lists a spoken turn that another connection cannot be told, and tells the rest", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Hello.")], [say("At ten.")]])
      yield* h.session.sendAudio(new Uint8Array(4800))
      h.connection().userSays("Hello?")
      yield* h.first("ResponseDone")
      yield* h.session.sendText("When do you open?")
      yield* h.nth("ResponseDone", 2)
      h.server.forgetHandles()
      h.connection().close(1011)
      yield* TestClock.adjust("5 seconds")
      const { omitted } = yield* h.first("Reconnected")
      expect(omitted).toHaveLength(1)
      expect(h.all("ServerErrorReceived")).toEqual([])
      expect(
        h
          .connection()
          .contents()
          .map(({ role }) => role)
      ).toEqual(["model", "user", "model"])
    })
  )

  it.scoped("leaves an answer that is cut as another connection was told it, where nothing can be taken back", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("It opens at ten. ".repeat(20))]], {})
      yield* h.session.sendText("When?")
      yield* h.first("ResponseDone")
      h.server.forgetHandles()
      h.connection().close(1011)
      yield* TestClock.adjust("5 seconds")
      yield* h.first("Reconnected")
      yield* h.session.interrupt
      yield* h.first("ItemCut")
      yield* h.session.sendText("Go on.")
      yield* h.nth("ResponseStarted", 2)
      expect(h.all("ServerErrorReceived")).toEqual([])
      const answer = (yield* h.session.conversation).items[1]
      expect(answer).toMatchObject({ role: "assistant", content: [{ cut: { heardMs: 5000 } }] })
    })
  )

  it.scoped("tells another connection the whole conversation where the handle is too old, or not known any more", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("One.")], [say("Two.")], [call("waits", {}, { callId: "a" })], [say("Three.")]])
      yield* h.session.sendText("Count.")
      yield* h.first("ResponseDone")
      h.server.forgetHandles()
      h.connection().close(1011)
      yield* TestClock.adjust("5 seconds")
      yield* h.first("Reconnected")
      expect(
        h
          .connection()
          .contents()
          .map(({ role }) => role)
      ).toEqual(["user", "model"])
      yield* h.session.sendText("Go on.")
      yield* h.nth("TextCompleted", 2)
      yield* h.session.sendText("Wait.")
      yield* h.first("ToolStarted")
      // In the middle of a turn: a handle would not know it.
      h.connection().close(1011)
      yield* TestClock.adjust("5 seconds")
      yield* h.nth("Reconnected", 2)
      expect(h.connection().setup()).toMatchObject({ sessionResumption: {} })
      expect(JSON.stringify(h.connection().contents())).toContain('"functionCall":{"id":"a"')
      yield* TestClock.adjust("2 minutes")
      yield* h.first("ToolFailed")
      const { text } = yield* h.nth("TextCompleted", 3)
      expect(text).toBe("Three.")
      expect(JSON.stringify(h.connection().contents())).toContain("ToolTimedOut")
      expect(h.connection().mistakes).toEqual([])
    })
  )

  it.scoped("gives a call its output where two connections lie between them, the second of which went on", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[call("waits", {}, { callId: "a" })], [say("Hello.")], [say("Too late.")]])
      yield* h.session.sendText("Wait.")
      yield* h.first("ToolStarted")
      // This one is told the call.
      h.connection().close(1011)
      yield* TestClock.adjust("5 seconds")
      yield* h.first("Reconnected")
      yield* h.session.sendText("Hello?")
      yield* h.first("TextCompleted")
      // And this one is told nothing.
      h.connection().goAway("10s")
      yield* TestClock.adjust("1 second")
      expect((yield* h.nth("Reconnected", 2)).replayed).toBe(0)
      yield* TestClock.adjust("2 minutes")
      yield* h.first("ToolFailed")
      const { text } = yield* h.nth("TextCompleted", 2)
      expect(text).toBe("Too late.")
      expect(h.all("OutputRefused")).toEqual([])
      expect(JSON.stringify(h.connection().contents())).toContain("ToolTimedOut")
      expect(h.connection().mistakes).toEqual([])
    })
  )

  it.scoped("hands over on another connection, because Gemini's settings are those of a connection", () =>
    Effect.gen(function* () {
      const billing = Agent.make("Billing", { instructions: "Talk of bills.", tools: [weather] })
      const front = Agent.make("Front", { instructions: "Greet.", handoffs: [Handoff.to(billing)] })
      const h = yield* open(front, [[call("transfer_to_Billing", {}, { callId: "a" })], [say("Your bill?")]])
      yield* h.session.sendText("My bill, please.")
      yield* TestClock.adjust("2 seconds")
      expect((yield* h.first("HandedOff")).to).toBe("Billing")
      expect(h.connection().setup()).toMatchObject({ systemInstruction: { parts: [{ text: "Talk of bills." }] } })
      const { text } = yield* h.first("TextCompleted")
      expect(text).toBe("Your bill?")
      expect(h.connection().number).toBe(2)
      expect(JSON.stringify(h.connection().contents())).toContain("My bill, please.")
      expect(h.connection().mistakes).toEqual([])
    })
  )

  it.scoped("marks the user's turns in push-to-talk, and answers each once", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("I hear you.")]], {
        settings: { output_modalities: ["text"], audio: { input: { turn_detection: null } } }
      })
      yield* h.session.sendAudio(new Uint8Array(48_000))
      yield* h.session.commitAudio
      yield* h.first("TextCompleted")
      const input = h
        .connection()
        .received.slice(1)
        .map((message) => Object.keys(Object(message["realtimeInput"]))[0])
      expect(input).toEqual(["activityStart", "audio", "activityEnd"])
      expect(h.connection().mistakes).toEqual([])
    })
  )

  it.scoped("says what Gemini cannot do, and goes on", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("One.")]])
      yield* h.session.requestResponse({ instructions: "Whisper." })
      const refused = yield* h.first("ResponseRefused")
      expect(refused).toMatchObject({ code: "unsupported_parameter", message: expect.stringContaining("instructions") })
      yield* h.session.send({ type: "conversation.item.retrieve", item_id: "item_1" })
      expect(yield* h.first("ServerErrorReceived")).toMatchObject({ code: "unsupported_event" })
      const update = yield* Effect.flip(h.session.updateConfig({ tool_choice: "required" }))
      expect(update).toMatchObject({ _tag: "SettingsRejected", param: "session.tool_choice" })
      yield* h.session.sendText("Still there?")
      expect((yield* h.first("TextCompleted")).text).toBe("One.")
    })
  )

  it.scoped("tells a model that takes words only as input the conversation first, and then words", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("One.")], [say("Two.")]], text, {}, { takesWordsAsInput: true })
      yield* h.session.sendText("Count.")
      yield* h.first("ResponseDone")
      yield* h.session.sendText("Go on.")
      yield* h.nth("TextCompleted", 2)
      const said = h.connection().received.slice(1)
      expect(kinds(said)).toEqual(["clientContent", "realtimeInput", "realtimeInput"])
      expect(said.at(-1)).toEqual({ realtimeInput: { text: "Go on." } })
    })
  )
})
