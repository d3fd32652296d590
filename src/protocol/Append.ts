import type { InputAudioBufferAppend } from "./ClientEvent.js"

/**
 * Audio of the user's that this library has encoded: its base64 has nothing that JSON would escape, so that the event is
 * put together and not searched for such, which costs more than all else that is done to it.
 */
export class Append implements InputAudioBufferAppend {
  readonly type = "input_audio_buffer.append"

  constructor(readonly audio: string) {}

  get text(): string {
    return `{"type":"input_audio_buffer.append","audio":"${this.audio}"}`
  }
}
