import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Audio from "../../src/Audio.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as EmbeddedVoice from "../../src/EmbeddedVoice.js"
import { isKnownItem } from "../../src/protocol/Item.js"
import { connect } from "../embedded/client.js"

const tool = (name: string, description: string, properties: object = {}, required = Object.keys(properties)) => ({
  type: "function",
  name,
  description,
  parameters: { type: "object", properties, required }
})

const city = { city: { type: "string" } }

const tools = [
  tool("get_weather", "The weather in a city", city),
  tool("current_time", "The current time in a city", city),
  tool("find_restaurant", "Finds a restaurant by its cuisine", {
    cuisine: { type: "string", enum: ["italian", "japanese", "mexican"] }
  }),
  tool("call_taxi", "Calls a taxi"),
  tool("play_music", "Plays some music"),
  tool("set_timer", "Sets a timer", { minutes: { type: "integer" } })
]

/** A question, the tool that it needs, and the arguments that must be there. */
const questions: ReadonlyArray<readonly [speaker: EmbeddedVoice.Speaker, text: string, tool: string, args: object]> = [
  ["slt", "What is the weather in Paris?", "get_weather", { city: "Paris" }],
  ["rms", "What is the weather in London?", "get_weather", { city: "London" }],
  ["awb", "How is the weather in Berlin?", "get_weather", { city: "Berlin" }],
  ["kal16", "What is the weather in Sydney?", "get_weather", { city: "Sydney" }],
  ["slt", "Tell me the weather in Madrid.", "get_weather", { city: "Madrid" }],
  ["slt", "What time is it in Tokyo?", "current_time", { city: "Tokyo" }],
  ["rms", "What time is it in Paris?", "current_time", { city: "Paris" }],
  ["awb", "What time is it in London?", "current_time", { city: "London" }],
  ["kal16", "What is the time in Berlin?", "current_time", { city: "Berlin" }],
  ["slt", "Find me an Italian restaurant.", "find_restaurant", { cuisine: "italian" }],
  ["rms", "Find me a Japanese restaurant.", "find_restaurant", { cuisine: "japanese" }],
  ["awb", "Please find a Mexican restaurant.", "find_restaurant", { cuisine: "mexican" }],
  ["kal16", "I would like an Italian restaurant.", "find_restaurant", { cuisine: "italian" }],
  ["slt", "Call a taxi, please.", "call_taxi", {}],
  ["rms", "Please call me a taxi.", "call_taxi", {}],
  ["awb", "Play some music.", "play_music", {}],
  ["slt", "Please play some music for us.", "play_music", {}],
  ["rms", "Set a timer for ten minutes.", "set_timer", { minutes: 10 }],
  ["slt", "Please set a timer for twenty minutes.", "set_timer", { minutes: 20 }],
  ["kal16", "Set a timer for five minutes.", "set_timer", { minutes: 5 }]
]

interface Answer {
  readonly text: string
  readonly heard: string
  readonly right: boolean
  readonly calls: string
}

/** Asks a question aloud, in a session of its own. */
const ask = (parts: EmbeddedVoice.EmbeddedVoice, [speaker, text, name, args]: (typeof questions)[number]) =>
  Effect.gen(function* () {
    const server = yield* EmbeddedRealtime.make(parts)
    const client = yield* connect(server.model)
    yield* client.sendRaw({
      type: "session.update",
      session: { type: "realtime", tools, audio: { input: { transcription: { model: "gpt-4o-mini-transcribe" } } } }
    })
    yield* client.until("session.updated")
    const { voice } = yield* EmbeddedVoice.make({ speaker })
    const pieces = yield* Stream.runCollect(voice.speak(text, { format: "audio/pcm" }))
    const audio = Buffer.concat([...Array.from(pieces, ({ audio }) => audio), Audio.silence(Audio.pcm16, 1_000)])
    yield* client.send({ type: "input_audio_buffer.append", audio: audio.toString("base64") })
    const { transcript } = yield* client.until("conversation.item.input_audio_transcription.completed")
    const { response } = yield* client.until("response.done")
    const calls = (response.output ?? []).flatMap((item) =>
      isKnownItem(item) && item.type === "function_call" ? [item] : []
    )
    const [first] = calls
    const right = calls.length === 1 && first?.name === name && contains(JSON.parse(first.arguments), args)
    const answer: Answer = {
      text,
      heard: transcript,
      right,
      calls: calls.map((call) => `${call.name}(${call.arguments})`).join()
    }
    return answer
  }).pipe(Effect.scoped)

const contains = (found: unknown, wanted: object): boolean => {
  try {
    expect(found).toMatchObject(wanted)
    return true
  } catch {
    return false
  }
}

/**
 * Flite's voices are harder to understand than people: Moonshine Tiny mistakes about every sixth word of theirs, and Base
 * about every twelfth.
 */
const expected: ReadonlyArray<readonly [name: string, options: EmbeddedVoice.Options, right: number]> = [
  ["by default", {}, 18],
  ["with the Tiny model", { recognizer: "tiny" }, 15]
]

describe("Spoken questions of several voices", () => {
  it.live.each(expected)(
    "call the right tool with the right arguments, %s",
    ([name, options, least]) =>
      Effect.gen(function* () {
        const parts = yield* EmbeddedVoice.make(options)
        const answers = yield* Effect.forEach(questions, (question) => ask(parts, question), { concurrency: 3 })
        const wrong = answers.filter(({ right }) => !right)
        console.log(`${name}: ${answers.length - wrong.length} of ${answers.length} right`, ...wrong)
        expect(answers.length).toBe(20)
        expect(answers.length - wrong.length, JSON.stringify(wrong)).toBeGreaterThanOrEqual(least)
      }).pipe(Effect.scoped),
    // A minute on an idle machine: the models take all of one core.
    1_800_000
  )
})
