/**
 * Listens to everything that the page plays: `loudness()` is the loudest of the last samples, and `recording()` is the last
 * minute of it, in base64. `microphones` are those that the page has opened.
 */
export const tap = `
  const connect = AudioNode.prototype.connect
  const recorded = []
  const record = async (track) => {
    for await (const data of new MediaStreamTrackProcessor({ track, maxBufferSize: 1_000 }).readable) {
      const samples = new Float32Array(data.numberOfFrames)
      data.copyTo(samples, { planeIndex: 0, format: "f32-planar" })
      recorded.push({ rate: data.sampleRate, samples })
      if (recorded.length > 6_000) recorded.shift()
      data.close()
    }
  }
  globalThis.recording = () => {
    const samples = recorded.flatMap(({ samples }) => Array.from(samples, (sample) => Math.round(sample * 32_767)))
    const bytes = new Uint8Array(Int16Array.from(samples).buffer)
    const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")
    return { rate: recorded[0]?.rate ?? 0, audio: btoa(text) }
  }
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode) {
      const analyser = this.context.createAnalyser()
      const samples = new Float32Array(analyser.fftSize)
      connect.call(this, analyser)
      const stream = this.context.createMediaStreamDestination()
      connect.call(this, stream)
      void record(stream.stream.getAudioTracks()[0])
      globalThis.loudness = () => {
        analyser.getFloatTimeDomainData(samples)
        return samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
      }
    }
    return connect.call(this, target, ...rest)
  }
  const media = navigator.mediaDevices
  const getUserMedia = media?.getUserMedia.bind(media)
  globalThis.microphones = []
  if (media !== undefined) {
    media.getUserMedia = async (constraints) => {
      const stream = await getUserMedia(constraints)
      microphones.push(...stream.getAudioTracks())
      return stream
    }
  }
`
