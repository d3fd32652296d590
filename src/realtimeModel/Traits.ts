/**
 * What a connection can do, and which side does what. Each part of a session asks for the trait that concerns it, in the
 * one place where it matters. An absent trait has the value of OpenAI's WebSocket, which is listed first.
 *
 * @since 0.1.0
 * @category models
 */
export interface Traits {
  /**
   * `"connection"`: each connection begins a new conversation, and the session sends the old one again. `"server"`: the
   * conversation outlives its connections, and the session sends only what the server may have missed.
   */
  readonly conversation?: "connection" | "server"
  /**
   * `"connection"`: the user's and the model's audio travel on this connection. `"elsewhere"`: over WebRTC or a phone
   * line. The session then sends no audio, and leaves the voice and the formats to whoever made the call.
   */
  readonly audio?: "connection" | "elsewhere"
  /**
   * Who removes what was not heard from the server's conversation. `"client"`: the session, with
   * `conversation.item.truncate`. `"server"`: the server, by itself.
   */
  readonly truncation?: "client" | "server"
  /**
   * Who plays the model's audio. `"client"`: the application, which may report what was heard. `"server"`: the server,
   * which announces `output_audio_buffer.started`, `stopped` and `cleared`, and stops for `output_audio_buffer.clear`.
   */
  readonly playback?: "client" | "server"
  /**
   * When the server says that a response is over. `"generated"`: when all of it was made. `"played"`: when it must have
   * been heard, so that a response may be silent for as long as its audio lasts.
   */
  readonly responsesEnd?: "generated" | "played"
  /**
   * Whether the server takes the user's speech as the audio of an item, where there is no transcript to tell another
   * connection. If it is refused, such items are listed as `omitted`.
   */
  readonly spokenItems?: "taken" | "refused"
  /** Who serves the model, as OpenTelemetry's `gen_ai.provider.name` has it: `openai`, `azure.ai.openai`, … */
  readonly provider?: string
}

/**
 * A connection beside a call that the server carries over WebRTC or SIP, and that a browser or a phone talks to.
 *
 * @since 0.1.0
 * @category models
 */
export const sideband: Traits = { conversation: "server", audio: "elsewhere", truncation: "server", playback: "server" }

const ofWebSocket: Required<Traits> = {
  conversation: "connection",
  audio: "connection",
  truncation: "client",
  playback: "client",
  responsesEnd: "generated",
  spokenItems: "taken",
  provider: "openai"
}

/** With the values of absent traits. */
export const completed = (traits: Traits | undefined): Required<Traits> =>
  traits === undefined ? ofWebSocket : { ...ofWebSocket, ...traits }
