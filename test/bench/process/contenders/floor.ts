import { connectBare } from "./bare.js"
import type { Connect } from "./Client.js"

/** Bytes go straight on. */
export const connect: Connect = (url, wishes) =>
  connectBare(url, wishes, { speaker: (listener) => listener, microphone: (send) => send })
