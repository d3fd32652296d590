/**
 * The events that a server sends about input audio, and about the playback of output audio.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { nullable, serverEvent } from "./fields.js"

/**
 * Times count from the start of the session.
 *
 * @since 0.1.0
 * @category events
 */
export const InputAudioBufferSpeechStarted = Schema.Struct({
  ...serverEvent("input_audio_buffer.speech_started"),
  item_id: Schema.String,
  audio_start_ms: Schema.Finite
})
/**
 * @since 0.1.0
 * @category events
 */
export interface InputAudioBufferSpeechStarted extends Schema.Schema.Type<typeof InputAudioBufferSpeechStarted> {}

/**
 * @since 0.1.0
 * @category events
 */
export const InputAudioBufferSpeechStopped = Schema.Struct({
  ...serverEvent("input_audio_buffer.speech_stopped"),
  item_id: Schema.String,
  audio_end_ms: Schema.Finite
})
/**
 * @since 0.1.0
 * @category events
 */
export interface InputAudioBufferSpeechStopped extends Schema.Schema.Type<typeof InputAudioBufferSpeechStopped> {}

/**
 * @since 0.1.0
 * @category events
 */
export const InputAudioBufferCommitted = Schema.Struct({
  ...serverEvent("input_audio_buffer.committed"),
  item_id: Schema.String,
  previous_item_id: nullable(Schema.String)
})
/**
 * @since 0.1.0
 * @category events
 */
export interface InputAudioBufferCommitted extends Schema.Schema.Type<typeof InputAudioBufferCommitted> {}

/**
 * @since 0.1.0
 * @category events
 */
export const InputAudioBufferCleared = Schema.Struct({
  ...serverEvent("input_audio_buffer.cleared")
})
/**
 * @since 0.1.0
 * @category events
 */
export interface InputAudioBufferCleared extends Schema.Schema.Type<typeof InputAudioBufferCleared> {}

/**
 * Nobody spoke for `idle_timeout_ms`. The silence becomes an item, and the model responds to it.
 *
 * @since 0.1.0
 * @category events
 */
export const InputAudioBufferTimeoutTriggered = Schema.Struct({
  ...serverEvent("input_audio_buffer.timeout_triggered"),
  item_id: Schema.String,
  audio_start_ms: Schema.Finite,
  audio_end_ms: Schema.Finite
})
/**
 * @since 0.1.0
 * @category events
 */
export interface InputAudioBufferTimeoutTriggered extends Schema.Schema.Type<typeof InputAudioBufferTimeoutTriggered> {}

/**
 * A key of the phone was pressed (SIP only).
 *
 * @since 0.1.0
 * @category events
 */
export const InputAudioBufferDtmfEventReceived = Schema.Struct({
  ...serverEvent("input_audio_buffer.dtmf_event_received"),
  event: Schema.String,
  /** Seconds since 1970. */
  received_at: Schema.Finite
})
/**
 * @since 0.1.0
 * @category events
 */
export interface InputAudioBufferDtmfEventReceived
  extends Schema.Schema.Type<typeof InputAudioBufferDtmfEventReceived> {}

/**
 * Playback for the user (WebRTC and SIP only).
 *
 * @since 0.1.0
 * @category events
 */
export const OutputAudioBufferStarted = Schema.Struct({
  ...serverEvent("output_audio_buffer.started"),
  response_id: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface OutputAudioBufferStarted extends Schema.Schema.Type<typeof OutputAudioBufferStarted> {}

/**
 * @since 0.1.0
 * @category events
 */
export const OutputAudioBufferStopped = Schema.Struct({
  ...serverEvent("output_audio_buffer.stopped"),
  response_id: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface OutputAudioBufferStopped extends Schema.Schema.Type<typeof OutputAudioBufferStopped> {}

/**
 * @since 0.1.0
 * @category events
 */
export const OutputAudioBufferCleared = Schema.Struct({
  ...serverEvent("output_audio_buffer.cleared"),
  response_id: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface OutputAudioBufferCleared extends Schema.Schema.Type<typeof OutputAudioBufferCleared> {}
