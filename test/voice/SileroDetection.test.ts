import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { TurnChange } from "../../src/embedded/TurnDetection.js"
import type { Outcome, Task } from "../../src/voice/messages.js"
import { sileroDetection } from "../../src/voice/SileroDetection.js"
import type { Thread } from "../../src/voice/Thread.js"
import { VoiceUnavailable } from "../../src/voice/VoiceUnavailable.js"
import { sound } from "../embedded/sound.js"

const settings = { threshold: 0.5, prefixMs: 300, silenceMs: 500 }

/** A thread that gives these answers, one after the other. It ends where there is none. */
const start = (...answers: ReadonlyArray<ReadonlyArray<TurnChange> | "ends">) => {
  const asked: Array<Extract<Task, { readonly _tag: "Detect" }>> = []
  const forgotten: Array<number> = []
  let detectors = 0
  const thread: Thread = {
    ask: (task) =>
      Effect.suspend(() => {
        if (task._tag === "Detect") asked.push(task)
        const changes = answers[asked.length - 1] ?? "ends"
        const outcome: Outcome = { _tag: "Detected", changes: changes === "ends" ? [] : changes }
        return changes === "ends"
          ? new VoiceUnavailable({ reason: "ThreadEnded", message: "The thread ended." })
          : Effect.succeed(outcome)
      }),
    newDetector: () => {
      detectors += 1
      return detectors
    },
    forget: (detector) => void forgotten.push(detector)
  }
  const detector = sileroDetection(thread, "tiny").start()
  let atMs = 0
  const detect = Effect.suspend(() => {
    const changes = detector.detect({ audio: sound(1_000), format: "audio/pcm", atMs, settings })
    atMs += 1_000
    return Effect.isEffect(changes) ? changes : Effect.succeed(changes)
  })
  return { asked, detect, detector, forgotten }
}

const started: TurnChange = { _tag: "SpeechStarted", startMs: 100 }

describe("Silero's turn detection", () => {
  it.effect("ends a turn when the thread ends, because a new detector does not know it", () =>
    Effect.gen(function* () {
      const { asked, detect } = start([started], "ends", "ends", [])
      expect(yield* detect).toEqual([started])
      expect(yield* detect).toEqual([{ _tag: "SpeechStopped", endMs: 2_000 }])
      expect(yield* detect).toEqual([])
      yield* detect
      // The new detector has nothing of that turn in a prefix.
      expect(asked.map(({ floorMs }) => floorMs)).toEqual([0, 0, 2_000, 3_000])
    })
  )

  it.effect("ends no turn twice", () =>
    Effect.gen(function* () {
      const { detect } = start([started], [{ _tag: "SpeechStopped", endMs: 1_500 }], "ends")
      yield* detect
      yield* detect
      expect(yield* detect).toEqual([])
    })
  )

  it.effect("begins again after a reset, and forgets what it had begun", () =>
    Effect.gen(function* () {
      const { asked, detect, detector, forgotten } = start([started], [], "ends")
      yield* detect
      detector.reset(900)
      yield* detect
      expect(yield* detect).toEqual([])
      expect(asked.map(({ detector, floorMs }) => [detector, floorMs])).toEqual([
        [1, 0],
        [2, 900],
        [2, 900]
      ])
      detector.end()
      expect(forgotten).toEqual([1, 2])
    })
  )
})
