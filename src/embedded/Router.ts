import * as Effect from "effect/Effect"
import { type Mind, say } from "./Mind.js"

export const router: Mind = { start: Effect.succeed(() => Effect.succeed([say("Hello.")])) }
