import { describe, expect, it } from "vitest"
import { soundsComplete } from "../../../src/voice/worker/soundsComplete.js"

describe("Text before a pause", () => {
  it.each(["What time is it in Paris?", "Yes.", "Play some music!", "Set a timer for 10.", 'He said "stop."'])(
    "sounds complete: %s",
    (text) => expect(soundsComplete(text)).toBe(true)
  )

  it.each(["", "I would like to book a table for.", "What is the weather in the.", "Um.", "Play some,", "And then I"])(
    "sounds cut off: %s",
    (text) => expect(soundsComplete(text)).toBe(false)
  )
})
