import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import { vi } from "vitest"
import { decodeBase64 } from "../../../src/audio/Base64.js"
import { pcmu } from "../../../src/audio/Format.js"
import type * as InputStream from "../../../src/machine/InputStream.js"
import type { ClientEvent } from "../../../src/protocol/ClientEvent.js"
import { type Connection, ConnectionLost, type Frame, Incoming } from "../../../src/RealtimeModel.js"
import { maxBufferedBytes } from "../../../src/session/options.js"
import { numRuns } from "../../runs.js"
import { parts } from "../parts.js"

/** So many seconds of sound, by a letter that is known again on the wire. */
const sound = (letter: string, seconds: number): Uint8Array => new Uint8Array(seconds * 8000).fill(letter.charCodeAt(0))

const nameOf = (event: ClientEvent): string => {
  if (event.type !== "input_audio_buffer.append") return event.type.replace("input_audio_buffer.", "")
  const bytes = Either.getOrElse(decodeBase64(event.audio), () => new Uint8Array())
  return String.fromCharCode(bytes[0] ?? 0)
}

/** The letters of what became a turn: one for each tenth of a second. */
const wordsOf = (turn: InputStream.Turn): string => {
  if (turn._tag === "Gone") return `gone ${turn.seconds}`
  const bytes = turn.slices.flatMap(({ from, piece, to }) =>
    Array.from(Either.getOrElse(decodeBase64(piece.audio), () => new Uint8Array()).subarray(from, to))
  )
  return bytes
    .filter((_, index) => index % 800 === 0)
    .map((byte) => String.fromCharCode(byte))
    .join("")
}

interface Options {
  readonly maxSeconds?: number
  readonly detectsTurns?: boolean
}

const make = ({ detectsTurns = false, maxSeconds = 10 }: Options = {}) =>
  Effect.sync(() => {
    const frames = new Incoming<Frame, ConnectionLost>()
    const lines: Array<{ readonly wire: Array<string>; buffered: number; isLost: boolean }> = []
    const connect = (): Connection => {
      const line = { wire: [] as string[], buffered: 0, isLost: false }
      lines.push(line)
      return {
        frames,
        bufferedBytes: () => line.buffered,
        send: (event) =>
          Effect.zipRight(
            // Where others may come between.
            Effect.yieldNow(),
            Effect.suspend(() => {
              if (line.isLost) return new ConnectionLost({ code: 1006, reason: "", message: "Lost." })
              line.wire.push(nameOf(event))
              return Effect.void
            })
          )
      }
    }
    const { published, session, state, toRun } = parts({
      newId: (prefix) => `${prefix}_1`,
      options: { inputAudioCapacity: maxSeconds * 1000, untranscribedAudio: { maxBytes: 1_000_000 } }
    })
    const heard: Array<readonly [itemId: string, words: string]> = []
    state.connection = connect()
    const { configuration, inputAudio: audio, outbox, turnAudio } = session
    vi.spyOn(configuration, "inputFormat").mockReturnValue(pcmu)
    vi.spyOn(configuration, "detectsTurns").mockReturnValue(detectsTurns)
    vi.spyOn(outbox, "send").mockImplementation((event) => lines.at(-1)?.wire.push(nameOf(event)))
    vi.spyOn(turnAudio, "heard").mockImplementation((itemId, turn) => heard.push([itemId, wordsOf(turn)]))
    const settle = Effect.suspend(() => Effect.forEach(toRun.splice(0), (effect) => effect, { discard: true }))
    return {
      audio,
      heard,
      session,
      state,
      say: (letter: string, seconds = 1) => audio.send(sound(letter, seconds)),
      wire: (n = lines.length - 1) => lines[n]?.wire ?? [],
      congest: (bytes: number) => {
        const line = lines.at(-1)
        if (line !== undefined) line.buffered = bytes
      },
      /** What the loop does when the time has come. */
      lookAgain: Effect.suspend(() => {
        state.now = audio.deadline() ?? state.now
        audio.timePassed()
        return settle
      }),
      lose: () => {
        const line = lines.at(-1)
        if (line !== undefined) line.isLost = true
        state.connection = undefined
      },
      connectAgain: Effect.suspend(() => {
        state.connection = connect()
        audio.connected()
        return settle
      }),
      dropped: () => published.flatMap((event) => (event._tag === "InputAudioDropped" ? event.seconds : []))
    }
  })

describe("law 6, Boundedness: what the user says, on a network that is behind", () => {
  it.effect("goes straight to the wire while there is room, and ends its turn behind it", () =>
    Effect.gen(function* () {
      const { audio, say, wire } = yield* make()
      yield* say("a")
      yield* say("b")
      audio.commit(() => undefined)
      expect(wire()).toEqual(["a", "b", "commit"])
      expect(audio.isIdle()).toBe(true)
    })
  )

  it.effect("is held back until there is room again", () =>
    Effect.gen(function* () {
      const { congest, say, wire } = yield* make()
      congest(maxBufferedBytes + 1)
      const saying = yield* Effect.fork(say("a"))
      yield* TestClock.adjust("500 millis")
      expect(wire()).toEqual([])
      congest(maxBufferedBytes)
      yield* TestClock.adjust("20 millis")
      yield* Fiber.join(saying)
      expect(wire()).toEqual(["a"])
    })
  )

  it.effect("is held back for at most a second, and then waits for the network to have room", () =>
    Effect.gen(function* () {
      const { audio, congest, lookAgain, say, state, wire } = yield* make()
      congest(maxBufferedBytes + 1)
      const saying = yield* Effect.fork(say("a"))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(saying)
      // A caller who was held back once is not held back for each piece.
      yield* say("b")
      audio.commit(() => undefined)
      yield* say("c")
      expect(wire()).toEqual([])
      expect(audio.isIdle()).toBe(false)
      expect(audio.deadline()).toBe(state.now + 20)
      yield* lookAgain
      expect(wire()).toEqual([])
      expect(audio.deadline()).toBe(state.now + 20)
      congest(0)
      yield* lookAgain
      expect(wire()).toEqual(["a", "b", "commit", "c"])
      expect(audio.deadline()).toBeUndefined()
    })
  )

  it.effect("is dropped where more waits than may, the oldest first, and that is said", () =>
    Effect.gen(function* () {
      const { congest, dropped, lookAgain, say, wire } = yield* make({ maxSeconds: 2 })
      congest(maxBufferedBytes + 1)
      const saying = yield* Effect.fork(say("a"))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(saying)
      for (const letter of ["b", "c", "d"]) yield* say(letter)
      yield* lookAgain
      expect(dropped()).toEqual([2])
      congest(0)
      yield* lookAgain
      expect(wire()).toEqual(["c", "d"])
      expect(dropped()).toEqual([2])
    })
  )

  it.effect("is taken back by a clear, but for the turns that were ended before", () =>
    Effect.gen(function* () {
      const { audio, dropped, lookAgain, say, congest, wire } = yield* make()
      congest(maxBufferedBytes + 1)
      const saying = yield* Effect.fork(say("a"))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(saying)
      audio.commit(() => undefined)
      yield* say("b")
      audio.clear()
      yield* say("c")
      congest(0)
      yield* lookAgain
      expect(wire()).toEqual(["a", "commit", "c"])
      expect(dropped()).toEqual([])
    })
  )

  it.effect("is answered when the end of its turn is on its way, or lost, and not before", () =>
    Effect.gen(function* () {
      const { audio, congest, lookAgain, lose, say, wire } = yield* make()
      const answered: Array<ReadonlyArray<string>> = []
      const commit = () => audio.commit(() => answered.push([...wire()]))
      congest(2 * maxBufferedBytes)
      const speaker = yield* Effect.fork(say("a"))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(speaker)
      commit()
      expect(answered).toEqual([])
      congest(0)
      yield* lookAgain
      expect(answered).toEqual([["a", "commit"]])
      congest(2 * maxBufferedBytes)
      const again = yield* Effect.fork(say("b"))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(again)
      commit()
      lose()
      audio.disconnected()
      expect(answered).toHaveLength(2)
    })
  )

  it.effect("does not overtake what waited, while that is on its way", () =>
    Effect.gen(function* () {
      const { audio, connectAgain, lose, say, wire } = yield* make()
      lose()
      audio.disconnected()
      yield* say("a")
      yield* say("b")
      const draining = yield* Effect.fork(connectAgain)
      yield* Effect.yieldNow()
      yield* say("c")
      audio.commit(() => undefined)
      yield* Fiber.join(draining)
      expect(wire()).toEqual(["a", "b", "c", "commit"])
    })
  )

  it("reaches the wire in its order, and what does not is counted, whatever comes", () => {
    const action = FastCheck.constantFrom("say", "say", "say", "congest", "recover", "lookAgain")
    return FastCheck.assert(
      FastCheck.asyncProperty(FastCheck.array(action, { maxLength: 60 }), (actions) => {
        const run = Effect.gen(function* () {
          const { congest, dropped, lookAgain, say, wire } = yield* make({ maxSeconds: 3 })
          const said: Array<string> = []
          const saying: Array<Fiber.Fiber<unknown, unknown>> = []
          for (const one of actions) {
            if (one === "congest") congest(maxBufferedBytes + 1)
            else if (one === "recover") congest(0)
            else if (one === "lookAgain") yield* lookAgain
            else {
              const letter = String.fromCharCode(0x21 + said.length)
              said.push(letter)
              saying.push(yield* Effect.fork(say(letter)))
              yield* TestClock.adjust("1 second")
            }
          }
          congest(0)
          yield* TestClock.adjust("1 second")
          yield* Fiber.joinAll(saying)
          yield* lookAgain
          const lost = dropped().reduce((sum, seconds) => sum + seconds, 0)
          expect(wire().length + lost).toBe(said.length)
          expect(wire()).toEqual(said.filter((letter) => wire().includes(letter)))
        })
        return Effect.runPromise(Effect.provide(run, TestContext.TestContext))
      }),
      { numRuns: numRuns(100) }
    )
  })
})

describe("what the user says, from one connection to the next", () => {
  it.effect("waits while there is none, up to its bound, and goes to the next", () =>
    Effect.gen(function* () {
      const { audio, connectAgain, dropped, lose, say, wire } = yield* make({ maxSeconds: 2 })
      lose()
      audio.disconnected()
      for (const letter of ["a", "b", "c"]) yield* say(letter)
      audio.commit(() => undefined)
      expect(audio.deadline()).toBeUndefined()
      yield* connectAgain
      expect(wire(0)).toEqual([])
      expect(wire(1)).toEqual(["b", "c", "commit"])
      expect(dropped()).toEqual([1])
    })
  )

  it.effect("is lost with the connection that had the beginning of the turn, and that is said", () =>
    Effect.gen(function* () {
      const { audio, dropped, lose, say } = yield* make()
      yield* say("a")
      audio.commit(() => undefined)
      audio.committed("item_1")
      yield* say("b", 1.5)
      lose()
      audio.disconnected()
      expect(dropped()).toEqual([1.5])
    })
  )

  it.effect("is lost also where its end was on its way, and that is said", () =>
    Effect.gen(function* () {
      const { audio, connectAgain, dropped, lose, say, wire } = yield* make()
      yield* say("a")
      audio.commit(() => undefined)
      lose()
      audio.disconnected()
      expect(dropped()).toEqual([1])
      yield* say("b")
      audio.commit(() => undefined)
      yield* connectAgain
      expect(wire(1)).toEqual(["b", "commit"])
      audio.committed("item_1")
      expect(audio.isIdle()).toBe(true)
      lose()
      audio.disconnected()
      expect(dropped(), "what the server had is not lost").toEqual([1])
    })
  )

  it.effect("is counted once where the connection is lost with a piece in hand", () =>
    Effect.gen(function* () {
      const { audio, dropped, lose, say, state } = yield* make()
      const before = state.connection
      lose()
      state.connection = before
      yield* say("a")
      state.connection = undefined
      audio.disconnected()
      expect(dropped()).toEqual([1])
    })
  )

  it.effect("is not told to the connection that takes over once it was taken back", () =>
    Effect.gen(function* () {
      const { audio, connectAgain, say, wire } = yield* make({ detectsTurns: true })
      audio.prepareMove()
      yield* say("a", 0.5)
      audio.clear()
      audio.moved()
      yield* connectAgain
      expect(wire(1)).toEqual([])
    })
  )

  it.effect("is not said to be lost where the server ends the turns: it may have had them", () =>
    Effect.gen(function* () {
      const { audio, dropped, lose, say } = yield* make({ detectsTurns: true })
      yield* say("a")
      lose()
      audio.disconnected()
      expect(dropped()).toEqual([])
    })
  )

  it.effect("is kept if the connection is lost at that moment", () =>
    Effect.gen(function* () {
      const { audio, connectAgain, lose, say, state, wire } = yield* make()
      const before = state.connection
      lose()
      state.connection = before
      yield* say("a")
      expect(audio.isIdle()).toBe(false)
      yield* connectAgain
      expect(wire(1)).toEqual(["a"])
    })
  )

  it.effect("goes to both connections in its last second, when one takes over from the other", () =>
    Effect.gen(function* () {
      const { audio, connectAgain, say, wire } = yield* make({ detectsTurns: true })
      yield* say("a", 0.5)
      audio.prepareMove()
      for (const letter of ["b", "c", "d"]) yield* say(letter, 0.5)
      audio.moved()
      yield* connectAgain
      yield* say("e", 0.5)
      expect(wire(0)).toEqual(["a", "b", "c", "d"])
      expect(wire(1)).toEqual(["c", "d", "e"])
    })
  )

  it.effect("goes to one of them where a turn has ended since, or where the application ends the turns", () =>
    Effect.gen(function* () {
      const detecting = yield* make({ detectsTurns: true })
      detecting.audio.prepareMove()
      yield* detecting.say("a")
      detecting.audio.turnEnded("item_1", 1000)
      detecting.audio.moved()
      yield* detecting.connectAgain
      expect(detecting.wire(1)).toEqual([])
      const pushing = yield* make()
      pushing.audio.prepareMove()
      yield* pushing.say("a")
      pushing.audio.commit(() => undefined)
      pushing.audio.moved()
      yield* pushing.connectAgain
      expect(pushing.wire(1)).toEqual([])
    })
  )

  it.effect("moves to another in no turn, be it the server's or the application's", () =>
    Effect.gen(function* () {
      const detecting = yield* make({ detectsTurns: true })
      yield* detecting.say("a")
      expect(detecting.audio.isIdle()).toBe(true)
      detecting.audio.turnBegan("item_1", 0)
      expect(detecting.audio.isIdle()).toBe(false)
      detecting.audio.turnEnded("item_1", 1000)
      expect(detecting.audio.isIdle()).toBe(true)
      const pushing = yield* make()
      yield* pushing.say("a")
      expect(pushing.audio.isIdle()).toBe(false)
      pushing.audio.clear()
      expect(pushing.audio.isIdle()).toBe(true)
    })
  )

  it.effect("is refused when the session has ended", () =>
    Effect.gen(function* () {
      const { say, session, wire } = yield* make()
      session.close()
      expect(yield* Effect.flip(say("a"))).toMatchObject({ _tag: "SessionClosed" })
      expect(wire()).toEqual([])
    })
  )
})

describe("§6: what the user said is known by the item that the server made of it", () => {
  it.effect("where the server tells the turns apart, by its times", () =>
    Effect.gen(function* () {
      const { audio, heard, say } = yield* make({ detectsTurns: true })
      for (const letter of "abcd") yield* say(letter)
      audio.turnBegan("item_1", 900)
      yield* say("e")
      audio.turnEnded("item_1", 3200)
      audio.committed("item_1")
      audio.turnBegan("item_2", 3500)
      yield* say("f")
      audio.turnEnded("item_2", 5500)
      yield* say("g")
      audio.committed("item_2")
      expect(heard).toEqual([
        ["item_1", `a${"b".repeat(10)}${"c".repeat(10)}dd`],
        ["item_2", `${"d".repeat(5)}${"e".repeat(10)}${"f".repeat(5)}`]
      ])
    })
  )

  it.effect("where the server is far behind one who sends a file at once", () =>
    Effect.gen(function* () {
      const { audio, heard, say, state } = yield* make({ detectsTurns: true })
      for (const letter of "abcdefghijkl") yield* say(letter)
      audio.turnBegan("item_1", 500)
      audio.turnEnded("item_1", 1500)
      audio.committed("item_1")
      // What is long past, and was no speech, is in no turn.
      state.now = 10_000
      yield* say("m")
      audio.turnBegan("item_2", 6500)
      audio.turnEnded("item_2", 9000)
      audio.committed("item_2")
      expect(heard).toEqual([
        ["item_1", "aaaaabbbbb"],
        ["item_2", "i".repeat(10)]
      ])
    })
  )

  it.effect("where the application ends them, by the commits and without what was cleared", () =>
    Effect.gen(function* () {
      const { audio, heard, say } = yield* make()
      yield* say("a", 0.2)
      audio.clear()
      yield* say("b", 0.2)
      audio.commit(() => undefined)
      yield* say("c", 0.2)
      audio.commit(() => undefined)
      yield* say("d", 0.2)
      audio.committed("item_1")
      audio.committed("item_2")
      audio.commit(() => undefined)
      audio.committed("item_3")
      expect(heard).toEqual([
        ["item_1", "bb"],
        ["item_2", "cc"],
        ["item_3", "dd"]
      ])
    })
  )

  it.effect("where a commit is refused, with the turn that goes on", () =>
    Effect.gen(function* () {
      const { audio, heard, say } = yield* make()
      yield* say("a", 0.1)
      audio.commit(() => undefined)
      audio.refused("cmt_1")
      yield* say("b", 0.1)
      audio.commit(() => undefined)
      audio.committed("item_1")
      expect(heard).toEqual([["item_1", "ab"]])
    })
  )

  it.effect("on each connection from its own beginning", () =>
    Effect.gen(function* () {
      const { audio, connectAgain, heard, lose, say } = yield* make({ detectsTurns: true })
      yield* say("a")
      lose()
      audio.disconnected()
      yield* say("b")
      yield* connectAgain
      audio.turnBegan("item_1", 0)
      audio.turnEnded("item_1", 500)
      audio.committed("item_1")
      expect(heard).toEqual([["item_1", "bbbbb"]])
    })
  )

  it.effect("as silence where nobody spoke for long, and the server made a turn of that", () =>
    Effect.gen(function* () {
      const { audio, heard, say } = yield* make({ detectsTurns: true })
      yield* say("a")
      yield* say("b")
      audio.turnPassed("item_1", 500, 2000)
      audio.committed("item_1")
      expect(heard).toEqual([["item_1", `${"a".repeat(5)}${"b".repeat(10)}`]])
    })
  )

  it.effect("not where it was longer than what is kept, and then that is known", () =>
    Effect.gen(function* () {
      const { audio, heard, say } = yield* make()
      yield* say("a", 126)
      audio.commit(() => undefined)
      audio.committed("item_1")
      yield* say("b", 0.1)
      audio.commit(() => undefined)
      audio.committed("item_2")
      expect(heard).toEqual([
        ["item_1", "gone 126"],
        ["item_2", "b"]
      ])
    })
  )
})
