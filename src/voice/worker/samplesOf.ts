import * as Audio from "../../Audio.js"
import type { Format } from "../messages.js"

/** The samples of a client's audio, at the sample rate of its format. PCM may end in the middle of a sample. */
export const samplesOf = (audio: Uint8Array, format: Format): Audio.Pcm16 => {
  switch (format) {
    case "audio/pcm":
      return audio
    case "audio/pcmu":
      return Audio.decodePcmu(audio)
    case "audio/pcma":
      return Audio.decodePcma(audio)
  }
}
