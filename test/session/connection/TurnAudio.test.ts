import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { vi } from "vitest"
import * as Agent from "../../../src/Agent.js"
import * as Audio from "../../../src/Audio.js"
import * as EmbeddedRealtime from "../../../src/EmbeddedRealtime.js"
import type { UserMessageParam } from "../../../src/protocol/ItemParam.js"
import * as ScriptedModel from "../../../src/ScriptedModel.js"
import type * as Session from "../../../src/Session.js"
import { sound } from "../../embedded/sound.js"
import { type Harness, open } from "../harness.js"
import { parts } from "../parts.js"

const { say } = ScriptedModel
const { Faults } = EmbeddedRealtime

const desk = Agent.make("Desk", { instructions: "Be brief." })

const pushToTalk = (options: Session.Options = {}): Session.Options => ({
  settings: { output_modalities: ["text"], audio: { input: { turn_detection: null } } },
  ...options
})

/** A tone that is known again by its loudness. */
const voice = (seconds: number, peak: number): Uint8Array => new Uint8Array(sound(seconds * 1000, peak))

const turn = (h: Harness<unknown>, bytes: Uint8Array) =>
  Effect.zipRight(h.session.sendAudio(bytes), h.session.commitAudio)

const loseConnection = (h: Harness<unknown>, n = 1) =>
  Effect.gen(function* () {
    yield* h.model.drop()
    yield* h.nth("ConnectionLost", n)
    yield* TestClock.adjust(n === 1 ? "301 millis" : "1 second")
    return yield* h.nth("Reconnected", n)
  })

/** What the latest connection was told that the user said. */
const toldByUser = (h: Harness<unknown>) =>
  Effect.gen(function* () {
    const connection = yield* h.model.connection
    const received = yield* connection.received
    return received.flatMap((event): UserMessageParam["content"] =>
      event.type === "conversation.item.create" && event.item.type === "message" && event.item.role === "user"
        ? event.item.content
        : []
    )
  })

const aloud = (bytes: Uint8Array) => ({ type: "input_audio", audio: Audio.encodeBase64(bytes) })

describe("§6: no word of the caller is lost by a move, though no transcript came", () => {
  it.scoped("tells another connection what the user said in push-to-talk, as it was said", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("One.")], [say("Two.")], [say("Three.")]], pushToTalk())
      yield* turn(h, voice(0.5, 8000))
      yield* h.nth("ResponseDone", 1)
      yield* turn(h, voice(0.7, 4000))
      yield* h.nth("ResponseDone", 2)
      expect(yield* loseConnection(h)).toMatchObject({ replayed: 4, omitted: [] })
      expect(yield* toldByUser(h)).toEqual([aloud(voice(0.5, 8000)), aloud(voice(0.7, 4000))])
      expect(yield* h.model.refused).toEqual([])
      // As often as necessary.
      expect(yield* loseConnection(h, 2)).toMatchObject({ replayed: 4, omitted: [] })
      expect(yield* toldByUser(h)).toEqual([aloud(voice(0.5, 8000)), aloud(voice(0.7, 4000))])
    })
  )

  it.scoped(
    "tells it the turns that the server's voice detection found, with the sound before and the silence behind",
    () =>
      Effect.gen(function* () {
        const h = yield* open(desk, [[say("Hello.")]])
        const microphone = new Uint8Array(Buffer.concat([sound(900, 0), sound(600), sound(900, 0)]))
        for (let at = 0; at < microphone.length; at += 1000) {
          yield* h.session.sendAudio(microphone.subarray(at, at + 1000))
        }
        yield* h.first("ResponseDone")
        expect(yield* loseConnection(h)).toMatchObject({ replayed: 2, omitted: [] })
        // 300 ms before the voice, and 500 after it.
        expect(yield* toldByUser(h)).toEqual([aloud(microphone.subarray(600 * 48, 2000 * 48))])
      })
  )

  it.scoped("tells a fresh connection, where the old one grew old", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("One.")]], pushToTalk({ rolloverAfter: "10 minutes" }))
      yield* turn(h, voice(0.5, 8000))
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("10 minutes")
      expect(yield* h.first("Reconnected")).toMatchObject({ replayed: 2, omitted: [] })
      expect(yield* toldByUser(h)).toEqual([aloud(voice(0.5, 8000))])
    })
  )

  it.scoped("waits for a transcript that is under way before it moves, and not forever", () =>
    Effect.gen(function* () {
      const rollover = (delay: Duration.DurationInput) =>
        Effect.gen(function* () {
          const h = yield* open(
            desk,
            [[say("One.")]],
            pushToTalk({
              rolloverAfter: "10 minutes",
              settings: {
                output_modalities: ["text"],
                audio: { input: { turn_detection: null, transcription: { model: "whisper-1" } } }
              }
            }),
            { transcribe: () => ({ text: "Good morning!", delay }) }
          )
          yield* TestClock.adjust("599 seconds")
          yield* turn(h, voice(0.5, 8000))
          yield* h.first("ResponseDone")
          yield* TestClock.adjust("3 seconds")
          expect(h.all("Reconnected"), "not yet").toEqual([])
          yield* TestClock.adjust("8 seconds")
          yield* h.first("Reconnected")
          return yield* toldByUser(h)
        })
      expect(yield* rollover("4 seconds")).toEqual([{ type: "input_text", text: "Good morning!" }])
      expect(yield* rollover(Duration.infinity)).toEqual([aloud(voice(0.5, 8000))])
    })
  )

  it.scoped("tells it a turn that the server took, and the connection was lost before its item was announced", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("One.")]], pushToTalk(), {
        faults: [Faults.onServerEvent("conversation.item.added", [Faults.drop], { connection: 1 })]
      })
      yield* turn(h, voice(0.5, 8000))
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust("301 millis")
      expect(yield* h.first("Reconnected")).toMatchObject({ replayed: 1, omitted: [] })
      expect(yield* toldByUser(h)).toEqual([aloud(voice(0.5, 8000))])
    })
  )

  it.scoped("tells the words where they came, and keeps no audio of them", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [[say("One.")], [say("Two.")]],
        pushToTalk({
          settings: {
            output_modalities: ["text"],
            audio: { input: { turn_detection: null, transcription: { model: "whisper-1" } } }
          },
          // Room for one of them.
          untranscribedAudio: { maxBytes: 50_000 }
        }),
        { transcribe: ({ index }) => (index === 0 ? { text: "Good morning!" } : { failed: "Too loud." }) }
      )
      yield* turn(h, voice(1, 8000))
      yield* h.nth("ResponseDone", 1)
      yield* h.first("UserTranscriptCompleted")
      yield* turn(h, voice(1, 4000))
      yield* h.nth("ResponseDone", 2)
      expect(yield* loseConnection(h)).toMatchObject({ omitted: [] })
      expect(yield* toldByUser(h)).toEqual([{ type: "input_text", text: "Good morning!" }, aloud(voice(1, 4000))])
      expect(h.all("TurnAudioDropped")).toEqual([])
    })
  )

  it.scoped("says of the oldest turn that it gave way, and that another connection does not know it", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [[say("One.")], [say("Two.")], [say("Three.")]],
        pushToTalk({ untranscribedAudio: { maxBytes: 100_000 } })
      )
      yield* turn(h, voice(1, 8000))
      yield* h.nth("ResponseDone", 1)
      yield* turn(h, voice(1.5, 4000))
      yield* h.nth("ResponseDone", 2)
      const [first] = h.all("TurnAudioDropped")
      expect(first).toMatchObject({ seconds: 1 })
      yield* turn(h, voice(3, 6000))
      yield* h.nth("ResponseDone", 3)
      expect(h.all("TurnAudioDropped")).toMatchObject([{ seconds: 1 }, { seconds: 3 }])
      const { omitted } = yield* loseConnection(h)
      expect(omitted.toSorted()).toEqual(h.all("TurnAudioDropped").map(({ itemId }) => itemId))
      expect(yield* toldByUser(h)).toEqual([aloud(voice(1.5, 4000))])
    })
  )

  it.scoped("keeps no audio if told to, and says of each connection what it does not know", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("One.")]], pushToTalk({ untranscribedAudio: { maxBytes: 0 } }))
      yield* turn(h, voice(1, 8000))
      yield* h.first("ResponseDone")
      expect(yield* loseConnection(h)).toMatchObject({ replayed: 1, omitted: [expect.any(String)] })
      expect(h.all("TurnAudioDropped")).toEqual([])
    })
  )

  it.scoped("tells it also what the application said aloud in an item of its own", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      const item = {
        type: "message",
        role: "user",
        content: [{ type: "input_text", text: "Listen:" }, aloud(voice(0.2, 8000))]
      } as const
      yield* h.session.sendMessage({ ...item, content: [item.content[0], { ...item.content[1], type: "input_audio" }] })
      yield* h.first("ItemCompleted")
      expect(yield* loseConnection(h)).toMatchObject({ replayed: 1, omitted: [] })
      expect(yield* toldByUser(h)).toEqual(item.content)
    })
  )

  it.scoped("says that another connection knows but the words of an item whose audio gave way", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], { untranscribedAudio: { maxBytes: 1000 } })
      const words = { type: "input_text", text: "Listen:" } as const
      const sound = { type: "input_audio", audio: Audio.encodeBase64(voice(0.2, 8000)) } as const
      const id = yield* h.session.sendMessage({ type: "message", role: "user", content: [words, sound] })
      yield* h.first("ItemCompleted")
      expect(h.all("TurnAudioDropped")).toMatchObject([{ itemId: id }])
      expect(yield* loseConnection(h)).toMatchObject({ replayed: 1, omitted: [id] })
      expect(yield* toldByUser(h)).toEqual([words])
      // It is there still, and its words are told as often as it takes.
      expect(yield* loseConnection(h, 2)).toMatchObject({ replayed: 1, omitted: [id] })
      expect(yield* toldByUser(h)).toEqual([words])
    })
  )

  it.scoped("keeps images as closely looked at as before", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      const content = [{ type: "input_image", image_url: "data:image/png;base64,AA==", detail: "low" }] as const
      yield* h.session.sendMessage({ type: "message", role: "user", content })
      yield* h.first("ItemCompleted")
      const { items } = yield* h.session.conversation
      expect(items).toMatchObject([{ content: [{ _tag: "Image", detail: "low" }] }])
      yield* loseConnection(h)
      expect(yield* toldByUser(h)).toEqual(content)
    })
  )

  it.scoped("sends no more than its bound, images too, but for the newest item", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], { replay: { maxCharacters: 10_000 } })
      for (let index = 1; index <= 8; index += 1) {
        const image_url = `data:image/png;base64,${"A".repeat(500_000)}`
        yield* h.session.sendMessage({ type: "message", role: "user", content: [{ type: "input_image", image_url }] })
        yield* h.nth("ItemCompleted", index)
      }
      const { omitted, replayed } = yield* loseConnection(h)
      expect([replayed, omitted.length]).toEqual([1, 7])
    })
  )
})

describe("§6: the embedded server", () => {
  it.scoped("gives back the audio of what the user said when it is asked for the item", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("One.")]], pushToTalk())
      yield* turn(h, voice(0.5, 8000))
      yield* h.first("ResponseDone")
      yield* loseConnection(h)
      const { items } = yield* h.session.conversation
      const connection = yield* h.model.connection
      const id = items[0]?.id ?? ""
      expect(yield* connection.userAudio(id, 0)).toBe(Audio.encodeBase64(voice(0.5, 8000)))
    })
  )
})

describe("§6: audio of turns", () => {
  const make = () => {
    const state = { format: Audio.pcm16 }
    const { session } = parts()
    vi.spyOn(session.configuration, "inputFormat").mockImplementation(() => state.format)
    return { audio: session.turnAudio, state }
  }

  it("is told in the format that the session sends now", () => {
    const { audio, state } = make()
    audio.keep("item_1", 0, voice(0.2, 8000), Audio.pcm16)
    expect(audio.told("item_1", 0)).toBe(Audio.encodeBase64(voice(0.2, 8000)))
    state.format = Audio.pcmu
    const told = audio.told("item_1", 0) ?? ""
    // A fifth of a second at 8,000 bytes a second.
    expect(atob(told).length).toBe(1600)
    state.format = Audio.pcma
    expect(audio.told("item_1", 0)).not.toBe(told)
  })

  it("is dropped when its transcript arrives, but not if that is empty", () => {
    const { audio } = make()
    audio.keep("item_1", 0, voice(0.2, 8000), Audio.pcm16)
    audio.transcribed("item_1", 0, " ")
    expect(audio.told("item_1", 0)).toBeDefined()
    audio.transcribed("item_1", 0, "Hello.")
    expect(audio.told("item_1", 0)).toBeUndefined()
  })

  it("goes with its item to another id, and is forgotten with it", () => {
    const { audio } = make()
    audio.keep("item_1", 0, voice(0.2, 8000), Audio.pcm16)
    audio.rename("item_1", "item_2")
    expect(audio.told("item_1", 0)).toBeUndefined()
    expect(audio.told("item_2", 0)).toBeDefined()
    audio.forget("item_2")
    expect(audio.told("item_2", 0)).toBeUndefined()
  })
})
