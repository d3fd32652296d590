import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  FakeCaller,
  MediaStream,
  TelnyxMediaStream,
  TwilioMediaStream,
  VonageMediaStream
} from "../../src/Telephony.js"

const mulaw = { encoding: "pcmu", sampleRate: 8_000 }
const l16 = { encoding: "pcm16", sampleRate: 16_000 }

describe("A fake caller", () => {
  it.scoped.each([
    ["Twilio", TwilioMediaStream.codec, mulaw],
    ["Telnyx", TelnyxMediaStream.codec, mulaw],
    ["Vonage", VonageMediaStream.codec, l16]
  ] as const)("of %s speaks a format of that vendor, if it is given none", ([, codec, format]) =>
    Effect.gen(function* () {
      const [, socket] = yield* FakeCaller.make({ codec })
      const { info } = yield* MediaStream.open(socket, codec)
      expect(info.format).toEqual(format)
    })
  )
})
