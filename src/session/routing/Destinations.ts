import type { ConversationMirror } from "../../machine/Conversation.js"
import type { ServerError } from "../../protocol/ServerEvent.js"
import type { ConnectionLost } from "../../RealtimeModel.js"
import type { SessionEvent } from "../../SessionEvent.js"
import type { Calls } from "../calls/Calls.js"
import type { HostedCalls } from "../calls/HostedCalls.js"
import type { InputAudio } from "../connection/InputAudio.js"
import type { Cuts } from "../conversation/Cuts.js"
import type { Edits } from "../conversation/Edits.js"
import type { Transcripts } from "../conversation/Transcripts.js"
import type { TurnAudio } from "../conversation/TurnAudio.js"
import type { Guardrails } from "../guardrails/Guardrails.js"
import type { Recorder } from "../Recorder.js"
import type { Responses } from "../Responses.js"
import type { Speech } from "../Speech.js"
import type { Configuration } from "../settings/Configuration.js"

/** Who hears of what the server sends. */
export interface Destinations {
  readonly calls: Omit<Calls<never>, "reported" | "offerOf">
  readonly hostedCalls: HostedCalls
  readonly guardrails: Guardrails
  readonly responses: Responses
  readonly speech: Speech
  readonly configuration: Configuration
  readonly conversation: ConversationMirror
  readonly edits: Edits
  readonly cuts: Cuts
  readonly inputAudio: InputAudio
  readonly transcripts: Transcripts
  readonly turnAudio: TurnAudio
  readonly recorder: Recorder
  /** Who has the conversation. */
  readonly agent: () => string
  readonly publish: (event: SessionEvent<never>) => void
  /** Whether the application asked for events of this type as they come, too. */
  readonly wantsRaw: (type: string) => boolean
  /** Whether this item was told to the server again: its announcement is no news. */
  readonly isReplayed: (itemId: string) => boolean
  /** The server did not take this event of the replay's. Whether it is told the item of it again. */
  readonly replayRefused: (eventId: string, error: ServerError) => boolean
  /** Whether this event was sent again to a server that may have carried it out already. */
  readonly isResent: (eventId: string) => boolean
  /** The server said that it ends the connection. */
  readonly lost: (error: ConnectionLost) => void
  /** Nothing that anybody has to do something about: for the log of who looks closely. */
  readonly note: (message: string) => void
  /** The server reported an error that ends the session. */
  readonly fatal: (error: { readonly code?: string | null | undefined; readonly message: string }) => void
}
