/**
 * The code that runs on the browser's audio thread, as source text: the module of an `AudioWorklet` is loaded from an
 * address. If your Content-Security-Policy does not allow `blob:`, serve these texts from your own host.
 *
 * @since 0.1.0
 */

export const microphoneName = "effect-realtime-microphone"
export const speakerName = "effect-realtime-speaker"

/**
 * Passes on what a microphone hears, mixed to one channel, as 32-bit samples at the rate of the context, 20 ms at a time.
 *
 * @since 0.1.0
 * @category worklets
 */
export const microphoneWorklet: string = `
class Microphone extends AudioWorkletProcessor {
  constructor() {
    super()
    this.size = Math.round(sampleRate / 50)
    this.chunk = new Float32Array(this.size)
    this.filled = 0
  }
  process(inputs) {
    const channels = inputs[0]
    if (channels.length === 0) return true
    for (let frame = 0; frame < channels[0].length; frame += 1) {
      let sum = 0
      for (const channel of channels) sum += channel[frame]
      this.chunk[this.filled] = sum / channels.length
      this.filled += 1
      if (this.filled === this.size) {
        this.port.postMessage(this.chunk, [this.chunk.buffer])
        this.chunk = new Float32Array(this.size)
        this.filled = 0
      }
    }
    return true
  }
}
registerProcessor("${microphoneName}", Microphone)
`

/**
 * Plays parts one after the other, and reports how many samples of each were played.
 *
 * It takes \`{ part, samples }\`, \`{ part, complete: true }\` after the last samples of a part, and \`{ part, drop: true }\`
 * for a part that must stop at once. It reports \`{ part, frames }\` every 100 ms while a part plays, and
 * \`{ part, frames, finished: true }\` at the end of each.
 *
 * @since 0.1.0
 * @category worklets
 */
export const speakerWorklet: string = `
// Parts that wait for more audio. Nothing more arrives for the oldest beyond these.
const maxParts = 64
class Speaker extends AudioWorkletProcessor {
  constructor() {
    super()
    this.parts = []
    this.sinceReport = 0
    this.port.onmessage = ({ data }) => this.take(data)
  }
  take({ complete, drop, part, samples }) {
    const known = this.parts.find((one) => one.part === part)
    if (drop) this.parts = this.parts.filter((one) => one !== known)
    else if (complete) {
      if (known !== undefined) known.isComplete = true
    } else if (known !== undefined) known.chunks.push(samples)
    else {
      this.parts.push({ part, chunks: [samples], at: 0, frames: 0, reported: 0, isComplete: false })
      const waiting = this.parts.filter((one) => one.chunks.length === 0).map((one) => one.part)
      if (waiting.length > maxParts) this.parts = this.parts.filter((one) => one.part !== Math.min(...waiting))
    }
  }
  report(one, finished) {
    if (!finished && one.frames === one.reported) return
    one.reported = one.frames
    const { part, frames } = one
    this.port.postMessage(finished ? { part, frames, finished } : { part, frames })
  }
  // The part to play now. While a part waits for more audio, the next one with audio goes first.
  next() {
    while (this.parts.length > 0) {
      const one = this.parts[0]
      if (one.chunks.length > 0) return one
      this.report(one, one.isComplete)
      if (one.isComplete) this.parts.shift()
      else {
        const index = this.parts.findIndex((other) => other.chunks.length > 0 || other.isComplete)
        if (index < 0) return undefined
        this.parts.unshift(...this.parts.splice(index, 1))
      }
    }
    return undefined
  }
  process(_, outputs) {
    const channels = outputs[0]
    const length = channels[0].length
    let written = 0
    let one = this.next()
    while (written < length && one !== undefined) {
      const chunk = one.chunks[0]
      const count = Math.min(length - written, chunk.length - one.at)
      for (const channel of channels) channel.set(chunk.subarray(one.at, one.at + count), written)
      written += count
      one.at += count
      one.frames += count
      if (one.at === chunk.length) {
        one.chunks.shift()
        one.at = 0
        one = this.next()
      }
    }
    this.sinceReport += length
    if (this.sinceReport >= sampleRate / 10) {
      this.sinceReport = 0
      if (one !== undefined) this.report(one, false)
    }
    return true
  }
}
registerProcessor("${speakerName}", Speaker)
`
