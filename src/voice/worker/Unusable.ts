import type { VoiceUnavailableReason } from "../VoiceUnavailable.js"

/** Why a request failed, for the reply. */
export class Unusable extends Error {
  constructor(
    readonly reason: VoiceUnavailableReason,
    message: string
  ) {
    super(message)
  }
}
