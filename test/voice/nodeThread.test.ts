import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { acquire } from "../../src/voice/nodeThread.js"

describe("The thread of the voice", () => {
  it.effect("does not start again after the scope of its last user has closed", () =>
    Effect.gen(function* () {
      const thread = yield* Effect.scoped(acquire)
      const error = yield* Effect.flip(thread.ask({ _tag: "Load", recognizer: "tiny" }))
      expect(error).toMatchObject({ _tag: "VoiceUnavailable", reason: "ThreadEnded" })
      expect(error.message).toContain("after its scope has closed")
    })
  )
})
