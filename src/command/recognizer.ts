/** `--recognizer`. */
import * as Options from "@effect/cli/Options"
import type { Recognizer } from "../EmbeddedVoice.js"

export const recognizer: Options.Options<Recognizer> = Options.choice("recognizer", ["base", "tiny"]).pipe(
  Options.withDescription(
    "What recognises words: tiny takes half as long as base, and makes more mistakes (default: base)"
  ),
  Options.withDefault("base")
)
