import type { InputAudioBufferAppend } from "./ClientEvent.js"

/**
 * User audio that this library has encoded. Its base64 needs no JSON escapes, so the event is concatenated instead of
 * being searched for them, which would cost more than everything else.
 */
export class Append implements InputAudioBufferAppend {
  readonly type = "input_audio_buffer.append"

  constructor(readonly audio: string) {}

  get text(): string {
    return `{"type":"input_audio_buffer.append","audio":"${this.audio}"}`
  }
}
