import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { act, Chromium, picture, press, say, shows, talk } from "./harness.js"

/** Chromium's own devices, which beep every second. */
const devices = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]

layer(Chromium.layer(devices), { excludeTestServices: true, timeout: "10 minutes" })(
  "The devices of the console",
  (it) => {
    it.scoped("are those that the user chooses, and text goes on when the microphone is unplugged", () =>
      Effect.gen(function* () {
        const opened = yield* talk()
        yield* press("Talk", opened)
        yield* shows("Conversation", "Microphone: on", opened)
        const choose = (name: "Microphone" | "Speaker", label: string) =>
          act((page) => page.getByRole("combobox", { name }).selectOption({ label }), opened)
        /** The microphone that the page opened last, and whether it still records. */
        const recording = act(
          (page) =>
            page.evaluate<string>(
              "((track) => [track.label, track.readyState].join())(microphones[microphones.length - 1])"
            ),
          opened
        )
        yield* choose("Microphone", "Fake Audio Input 2")
        yield* act(
          (page) => page.waitForFunction("microphones[microphones.length - 1].label === 'Fake Audio Input 2'"),
          opened
        )
        expect(yield* recording).toBe("Fake Audio Input 2,live")
        // The one before was released.
        expect(yield* act((page) => page.evaluate<string>("microphones[0].readyState"), opened)).toBe("ended")
        yield* choose("Speaker", "Fake Audio Output 1")
        yield* shows("Conversation", "Microphone: on", opened)

        // As the browser does when the plug is pulled.
        yield* act(
          (page) => page.evaluate("microphones[microphones.length - 1].dispatchEvent(new Event('ended'))"),
          opened
        )
        yield* shows("Conversation", "The microphone is gone. Connect it, or choose another one.", opened)
        yield* picture("unplugged", opened)
        yield* say("What is the weather in Paris?", opened)
        yield* shows("Conversation", /sunny and 19 degrees in Paris/, opened)
        yield* choose("Microphone", "Fake Audio Input 1")
        yield* shows("Conversation", "Microphone: on", opened)
        expect(yield* recording).toBe("Fake Audio Input 1,live")
        expect(opened.complaints).toEqual([])
      })
    )
  }
)
