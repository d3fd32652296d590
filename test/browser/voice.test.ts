import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Agent from "../../src/Agent.js"
import * as Audio from "../../src/Audio.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as EmbeddedVoice from "../../src/EmbeddedVoice.js"
import * as Tool from "../../src/Tool.js"
import {
  act,
  barriers,
  Chromium,
  download,
  drawn,
  isHeard,
  type Opened,
  overflow,
  picture,
  played,
  press,
  replay,
  say,
  shows,
  sounds,
  tabTo,
  talk
} from "./harness.js"

const silence = (seconds: number): Uint8Array => Audio.silence(Audio.pcm16, seconds * 1_000)

/** A recording of Flite, for the microphone of the browser: texts, and seconds of silence between them. */
const recording = (...parts: ReadonlyArray<string | number>): Effect.Effect<Uint8Array, unknown> =>
  Effect.gen(function* () {
    const { voice } = yield* EmbeddedVoice.make({ recognizer: "tiny" })
    const pieces = yield* Effect.forEach(parts, (part) =>
      typeof part === "number"
        ? Effect.succeed([silence(part)])
        : Effect.map(Stream.runCollect(voice.speak(part, { format: "audio/pcm" })), (spoken) =>
            Array.from(spoken, ({ audio }) => audio)
          )
    )
    return Audio.Wav.encode({ sampleRate: 24_000, bytes: Buffer.concat(pieces.flat()) })
  }).pipe(Effect.scoped)

const fakeDevices = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]

/** A Chromium whose microphone plays a recording over and over, from when a page opens it. */
const withMicrophone = (...parts: ReadonlyArray<string | number>): Layer.Layer<Chromium> =>
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-realtime-microphone-"))),
        (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
      )
      const file = join(folder, "microphone.wav")
      writeFileSync(file, yield* Effect.orDie(recording(...parts)))
      return Chromium.layer([...fakeDevices, `--use-file-for-fake-audio-capture=${file}`])
    })
  )

const question = "What is the weather in Paris?"
const story = "It is sunny and 19 degrees in Paris today, and it will stay like this for the whole week. ".repeat(3)

/** A server that understands the same question whatever is said, and answers with a call and a long story. */
const model = EmbeddedRealtime.layer({
  transcribe: () => ({ text: question }),
  mind: EmbeddedRealtime.script([
    [EmbeddedRealtime.call("get_weather", { city: "Paris" })],
    ...Array.from({ length: 20 }, () => [EmbeddedRealtime.say(story)])
  ])
})

const settings = { excludeTestServices: true, timeout: "10 minutes" } as const

/** How long the user waits, as the page shows it. */
const wait = (opened: Opened) =>
  act((page) => page.locator("dt", { hasText: "Wait, p50" }).locator("+ dd").textContent(), opened)

/** What the recogniser hears in a recording. */
const wordsOf = ({ transcribe }: EmbeddedVoice.EmbeddedVoice, audio: Uint8Array) => {
  const durationMs = Audio.durationMs(Audio.pcm16, audio.length)
  const found = transcribe({ itemId: "item", durationMs, index: 0, audio, format: "audio/pcm" })
  return Effect.map(Effect.isEffect(found) ? found : Effect.succeed(found), (one) =>
    "text" in one ? one.text : one.failed
  )
}

/** The example, with a report that takes half a minute to say. */
const reporter = Agent.make("Concierge", {
  instructions: "Tell the weather.",
  tools: [
    Tool.make("get_weather", {
      description: "The weather in a city",
      parameters: { city: Schema.String.annotations({ description: "The name of a city, such as Paris" }) },
      handler: ({ city }) =>
        Effect.succeed(`It is sunny in ${city}. ${"It will stay like this for many days. ".repeat(10)}`)
    })
  ]
})

// Again and again, so that a slow machine is interrupted by a later round.
layer(withMicrophone(0.5, "Tell me, what is the weather in Berlin?", 7), settings)(
  "The microphone of the console",
  (it) => {
    it.scoped("asks, the answer is heard, and the user's next words cut it off, also in a replay", () =>
      Effect.gen(function* () {
        const opened = yield* talk({ model })
        yield* press("Talk", opened)
        yield* shows("Conversation", "Microphone: on", opened)
        yield* shows("Conversation", question, opened)
        yield* shows("Calls of tools", /Succeeded after/, opened)
        yield* sounds("loud", opened)
        yield* picture("speaking", opened)
        yield* shows("Timeline", "Speech, interrupted", opened)
        for (const lane of ["User", "Agent"] as const) expect(yield* drawn(lane, opened)).toBe(true)
        const unheard = act((page) => page.locator("del").first().textContent(), opened)
        const cut = yield* unheard
        expect(cut).not.toBe(story)
        expect(story.trim().endsWith(cut?.trim() ?? "nothing")).toBe(true)
        yield* picture("interrupted", opened)
        expect(yield* barriers(opened)).toEqual([])
        expect(yield* overflow(opened)).toBe(0)
        expect(yield* wait(opened)).toMatch(/^\d\.\d\d\ss$/)
        yield* replay(yield* download(opened), opened)
        yield* press("To the end", opened)
        yield* shows("Timeline", "Speech, interrupted", opened)
        expect(yield* unheard).toBe(cut)
        expect(opened.complaints).toEqual([])
      })
    )

    it.scoped("is understood by the embedded voice, which answers aloud, until the next question", () =>
      Effect.gen(function* () {
        const parts = yield* EmbeddedVoice.make()
        const opened = yield* talk({ agent: reporter, model: EmbeddedRealtime.layer(parts), voice: "Flite speaks." })
        yield* press("Talk", opened)
        yield* shows("Calls of tools", '{"city":"Berlin"}', opened)
        yield* shows("Conversation", /It is sunny in Berlin/, opened)
        yield* sounds("loud", opened)
        yield* shows("Timeline", "Speech, interrupted", opened)
        expect(yield* act((page) => page.locator("del").first().textContent(), opened)).toMatch(/many days/)
        expect(yield* wordsOf(parts, yield* played(opened))).toMatch(/sunny in Berlin.* stay like this/i)
        yield* picture("voice", opened)
        expect(opened.complaints).toEqual([])
      })
    )

    it.scoped("sends what was said while the button was held, with the mouse or a key, and nothing else", () =>
      Effect.gen(function* () {
        const opened = yield* talk({ model })
        yield* act((page) => page.getByLabel("Turns").selectOption("Push to talk"), opened)
        yield* press("Talk", opened)
        const released = act((page) => page.getByRole("button", { name: "Let go to send" }).waitFor(), opened)
        yield* act(async (page) => {
          await page.getByRole("button", { name: "Hold to talk" }).hover()
          await page.mouse.down()
        }, opened)
        yield* released
        yield* isHeard(opened)
        yield* act((page) => page.mouse.up(), opened)
        yield* shows("Conversation", question, opened)
        yield* shows("Calls of tools", /Succeeded after/, opened)
        yield* sounds("loud", opened)
        expect(yield* wait(opened)).toMatch(/^\d\.\d\d\ss$/)
        yield* picture("held", opened)
        // The microphone goes on hearing, and that interrupts nobody.
        yield* press("Interrupt", opened)
        yield* sounds("silent", opened)
        yield* shows("Timeline", "Speech, interrupted", opened)
        yield* tabTo("Hold to talk", opened)
        yield* act((page) => page.keyboard.down("Space"), opened)
        yield* released
        yield* isHeard(opened)
        yield* act((page) => page.keyboard.up("Space"), opened)
        yield* act((page) => page.getByRole("log").getByText(question).nth(1).waitFor(), opened)
        yield* press("Mute", opened)
        yield* shows("Conversation", "Microphone: off", opened)
        expect(opened.complaints).toEqual([])
      })
    )
  }
)

layer(Chromium.layer(["--use-fake-ui-for-media-stream=deny", "--use-fake-device-for-media-stream"]), settings)(
  "A microphone that the user does not allow",
  (it) => {
    it.scoped("is explained, and text goes on", () =>
      Effect.gen(function* () {
        const opened = yield* talk()
        yield* press("Talk", opened)
        yield* shows("Conversation", /The microphone cannot be used. It is not allowed./, opened)
        yield* picture("denied", opened)
        yield* say("What is the weather in Paris?", opened)
        yield* shows("Conversation", /sunny and 19 degrees in Paris/, opened)
      })
    )
  }
)
