import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import { GoogleGenAI, type LiveServerMessage, Modality } from "@google/genai"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Agent from "../src/Agent.js"
import * as Mind from "../src/embedded/Mind.js"
import * as GeminiLive from "../src/GeminiLive.js"
import type { RealtimeModel } from "../src/RealtimeModel.js"
import * as Session from "../src/Session.js"
import * as Tool from "../src/Tool.js"
import { serve } from "./gemini/serve.js"
import { appearances } from "./openai/appearances.js"
import { recording } from "./session/harness.js"

const key = "AIza-very-secret-0123456789"
const apiKey = Redacted.make(key)
const { call, say } = Mind

class Denied extends Data.TaggedError("Denied")<{ readonly said: string }> {}
class Keys extends Context.Tag("test/Keys")<Keys, Effect.Effect<Redacted.Redacted, Denied>>() {}

const weather = Tool.make("get_weather", {
  description: "The weather",
  parameters: { city: Schema.String },
  handler: ({ city }) => Effect.succeed(`Sunny in ${city}.`)
})
const desk = Agent.make("Desk", { instructions: "Be brief.", tools: [weather] })

describe("GeminiLive", () => {
  it.scopedLive("tells telemetry whose model it is", () =>
    Effect.gen(function* () {
      const server = yield* serve({ mind: Mind.script([]) })
      const model = yield* GeminiLive.make({ apiKey, url: server.url })
      expect((yield* model.connect({})).traits).toMatchObject({ provider: "gcp.gemini", truncation: "server" })
    })
  )

  it.scopedLive("talks to a server over a socket, in audio, with a call, and reconnects where it left off", () =>
    Effect.gen(function* () {
      const server = yield* serve({
        mind: Mind.script([[call("get_weather", { city: "Paris" })], [say("It is sunny.")], [say("Bye.")]]),
        accepts: (given) => given === key
      })
      const session = yield* Session.make(desk).pipe(Effect.provide(GeminiLive.layer({ apiKey, url: server.url })))
      const h = yield* recording(session)
      yield* session.sendAudio(new Uint8Array(9_600))
      yield* session.sendText("What is the weather in Paris?")
      const { text } = yield* h.first("TextCompleted")
      expect(text).toBe("It is sunny.")
      const [first] = server.connections
      expect(first?.responses).toMatchObject([{ response: { output: "Sunny in Paris." } }])
      // 200 ms at 16 kHz, but for what the resampler holds back.
      const audio = first?.received.flatMap(({ realtimeInput }) => Object(realtimeInput).audio ?? []) ?? []
      expect(audio[0]?.mimeType).toBe("audio/pcm;rate=16000")
      expect(Buffer.from(String(audio[0]?.data), "base64").length).toBeGreaterThan(6_000)
      yield* h.nth("ResponseDone", 2)
      first?.goAway("5s")
      yield* h.first("Reconnected")
      yield* session.sendText("Thanks.")
      yield* h.nth("TextCompleted", 2)
      expect(server.connections.flatMap(({ mistakes }) => mistakes)).toEqual([])
      expect(server.connections).toHaveLength(2)
    })
  )

  it.scopedLive("sends its key in the query, and shows it nowhere", () =>
    Effect.gen(function* () {
      const server = yield* serve({ mind: Mind.script([]), accepts: () => false })
      const exit = yield* Effect.exit(
        Session.make(desk).pipe(Effect.provide(GeminiLive.layer({ apiKey, url: server.url })))
      )
      expect(server.requests[0]).toContain(`?key=${key}`)
      expect(yield* Effect.flip(exit)).toMatchObject({ _tag: "HandshakeRefused", status: 403 })
      for (const shown of appearances(exit)) expect(shown).not.toContain("very-secret")
    })
  )

  it.effect.each([
    { title: "an unknown kind of credential", options: { credential: "password" }, says: "`credential` should be" },
    { title: "a limit below its minimum", options: { maxQueuedFrames: 0 }, says: "`maxQueuedFrames`" },
    { title: "a key in plain text", options: { apiKey: key }, says: "`apiKey` should be made with Redacted.make" }
  ])("refuses $title", ({ options, says }) =>
    Effect.gen(function* () {
      // What the types refuse, a configuration may still hold.
      const all = { apiKey, ...options } as GeminiLive.Options
      const exit = yield* Effect.exit(GeminiLive.make(all))
      expect((yield* Effect.flip(exit)).message).toContain(says)
      for (const shown of appearances(exit)) expect(shown).not.toContain("very-secret")
    })
  )

  it.scoped("does not connect with an empty key, and says so", () =>
    Effect.gen(function* () {
      const model = yield* GeminiLive.make({ apiKey: Redacted.make(" ") })
      const error = yield* Effect.flip(model.connect({}))
      expect(error).toMatchObject({ _tag: "ConnectFailed", message: expect.stringContaining("GEMINI_API_KEY") })
    })
  )

  it("makes the layer require what the key requires", () => {
    expectTypeOf(GeminiLive.layer({ apiKey: Effect.flatten(Keys) })).toEqualTypeOf<
      Layer.Layer<RealtimeModel, GeminiLive.OptionsInvalid, Keys>
    >()
    expectTypeOf(Session.make(desk).pipe(Effect.provide(GeminiLive.layer({ apiKey })))).not.toBeAny()
  })
})

describe("The server that plays Gemini", () => {
  it.scopedLive("is one that Google's own SDK talks to, with a call and its output", () =>
    Effect.gen(function* () {
      const server = yield* serve({
        mind: Mind.script([[call("get_weather", { city: "Paris" })], [say("It is sunny.")]])
      })
      const done = yield* Deferred.make<void>()
      const messages: Array<LiveServerMessage> = []
      const genai = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: server.base } })
      const live = yield* Effect.acquireRelease(
        Effect.promise(() =>
          genai.live.connect({
            model: "gemini-2.5-flash-native-audio-preview-12-2025",
            config: {
              responseModalities: [Modality.AUDIO],
              outputAudioTranscription: {},
              sessionResumption: {},
              tools: [{ functionDeclarations: [{ name: "get_weather", parametersJsonSchema: { type: "object" } }] }]
            },
            callbacks: {
              onmessage: (message) => {
                messages.push(message)
                for (const one of message.toolCall?.functionCalls ?? []) {
                  const answer = { id: one.id ?? "", name: one.name ?? "", response: { output: "Sunny." } }
                  live.sendToolResponse({ functionResponses: [answer] })
                }
                if (message.serverContent?.turnComplete === true) Deferred.unsafeDone(done, Effect.void)
              }
            }
          })
        ),
        (session) => Effect.sync(() => session.close())
      )
      live.sendClientContent({ turns: [{ role: "user", parts: [{ text: "Weather?" }] }], turnComplete: true })
      yield* Deferred.await(done)
      const words = messages.map((message) => message.serverContent?.outputTranscription?.text ?? "").join("")
      expect(words).toBe("It is sunny.")
      expect(messages.some((message) => message.data !== undefined)).toBe(true)
      expect(messages.some((message) => message.setupComplete !== undefined)).toBe(true)
      expect(server.connections[0]?.mistakes).toEqual([])
    })
  )

  it.scopedLive("gets the same kinds of messages from this library as from Google's SDK", () =>
    Effect.gen(function* () {
      const server = yield* serve({ mind: Mind.script([[say("Hello.")], [say("Hello.")]]) })
      const tools = [{ name: "get_weather", description: "The weather", parametersJsonSchema: { type: "object" } }]
      const genai = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: server.base } })
      const live = yield* Effect.promise(() =>
        genai.live.connect({
          model: "gemini-2.5-flash-native-audio-preview-12-2025",
          config: {
            responseModalities: [Modality.AUDIO],
            outputAudioTranscription: {},
            sessionResumption: {},
            contextWindowCompression: { slidingWindow: {} },
            systemInstruction: { parts: [{ text: "Be brief." }] },
            speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: "Kore" } } },
            tools: [{ functionDeclarations: tools }]
          },
          callbacks: { onmessage: () => undefined }
        })
      )
      live.sendRealtimeInput({ audio: { data: "AAAA", mimeType: "audio/pcm;rate=16000" } })
      live.sendClientContent({ turns: [{ role: "user", parts: [{ text: "Hello!" }] }], turnComplete: true })
      const spoken = Agent.make("Desk", {
        instructions: "Be brief.",
        tools: [Tool.make("get_weather", { description: "The weather", handler: () => Effect.succeed("") })],
        settings: { audio: { output: { voice: "Kore" } } }
      })
      const session = yield* Session.make(spoken).pipe(Effect.provide(GeminiLive.layer({ apiKey, url: server.url })))
      const h = yield* recording(session)
      yield* session.sendText("Hello!")
      yield* h.first("TextCompleted")
      live.close()
      const [theirs, ours] = server.connections.map((connection) => connection.setup() ?? {})
      // Google's SDK has the voice of the system instruction's author in it, and this library the parameters of the tool.
      const shape = ({
        systemInstruction: _s,
        tools: _t,
        ...rest
      }: object & { systemInstruction?: unknown; tools?: unknown }) => rest
      expect(shape(ours ?? {})).toEqual(shape(theirs ?? {}))
      const [first, second] = server.connections
      expect(first?.received.slice(1).map(Object.keys)).toEqual([["realtimeInput"], ["clientContent"]])
      expect(second?.received.slice(1).map(Object.keys)).toEqual([["clientContent"], ["clientContent"]])
    })
  )
})
