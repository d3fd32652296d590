import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { Devices } from "../../src/gateway-client.js"
import { browser } from "./browser.js"

describe("The devices of a page", () => {
  it.scoped("are its microphones and speakers, and no cameras", () =>
    Effect.gen(function* () {
      const { plugIn } = yield* browser()
      plugIn("audioinput", "mic", "A microphone")
      plugIn("videoinput", "cam", "A camera")
      plugIn("audiooutput", "spk", "A speaker")
      // Before the user has allowed a microphone, browsers list devices without ids.
      plugIn("audioinput", "", "")
      expect(yield* Devices.list).toEqual([
        { deviceId: "mic", label: "A microphone", kind: "microphone" },
        { deviceId: "spk", label: "A speaker", kind: "speaker" }
      ])
    })
  )

  it.scoped("are listed again when one is plugged in", () =>
    Effect.gen(function* () {
      const { plugIn } = yield* browser()
      const noticed = yield* Effect.makeLatch()
      const changes = yield* Devices.changes.pipe(
        Stream.tap(() => noticed.open),
        Stream.take(2),
        Stream.runCollect,
        Effect.fork
      )
      yield* noticed.await
      plugIn("audioinput", "mic", "A microphone")
      const lists = Chunk.toReadonlyArray(yield* Fiber.join(changes))
      expect(lists.map((devices) => devices.map(({ label }) => label))).toEqual([[], ["A microphone"]])
    })
  )

  it.effect("are none where there is no browser", () =>
    Effect.gen(function* () {
      expect(yield* Devices.list).toEqual([])
    })
  )
})
