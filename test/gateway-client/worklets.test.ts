import { describe, expect, it } from "@effect/vitest"
import { microphoneWorklet, speakerWorklet } from "../../src/gateway-client.js"
import { loadWorklet, samples } from "./browser.js"

const load = (source: string, sampleRate: number) => {
  const { port, processor } = loadWorklet(source, sampleRate)
  const sent: Array<unknown> = []
  port.onmessage = ({ data }) => sent.push(data)
  return { port, processor, sent }
}

describe("The microphone's worklet", () => {
  it("passes on 20 ms at a time, of one channel", () => {
    const { processor, sent } = load(microphoneWorklet, 48_000)
    for (let block = 0; block < 15; block += 1) processor.process([[samples(128, 0.5), samples(128, 0.25)]], [])
    expect(sent).toEqual([samples(960, 0.375), samples(960, 0.375)])
  })

  it("waits while no microphone is connected", () => {
    const { processor, sent } = load(microphoneWorklet, 48_000)
    expect(processor.process([[]], [])).toBe(true)
    expect(sent).toEqual([])
  })
})

describe("The speaker's worklet", () => {
  const setUp = () => {
    const { port, processor, sent } = load(speakerWorklet, 1_000)
    /** What is heard in one block of ten samples. */
    const play = (): ReadonlyArray<number> => {
      const output = new Float32Array(10)
      processor.process([], [[output]])
      return [...output]
    }
    return { send: (data: unknown) => port.postMessage(data), play, sent }
  }
  const heard = (...runs: ReadonlyArray<readonly [count: number, value: number]>) =>
    runs.flatMap(([count, value]) => new Array<number>(count).fill(value))

  it("plays parts one after the other without a gap, and reports when each is finished", () => {
    const { play, send, sent } = setUp()
    send({ part: 1, samples: samples(4, 1) })
    send({ part: 1, samples: samples(3, 2) })
    send({ part: 1, complete: true })
    send({ part: 2, samples: samples(20, 3) })
    expect(play()).toEqual(heard([4, 1], [3, 2], [3, 3]))
    expect(sent).toEqual([{ part: 1, frames: 7, finished: true }])
  })

  it("is silent while it waits for more of a part, reports where it is, and goes on from there", () => {
    const { play, send, sent } = setUp()
    send({ part: 1, samples: samples(4, 1) })
    expect(play()).toEqual(heard([4, 1], [6, 0]))
    for (let block = 0; block < 25; block += 1) expect(play()).toEqual(heard([10, 0]))
    expect(sent.splice(0)).toEqual([{ part: 1, frames: 4 }])
    send({ part: 1, samples: samples(4, 2) })
    send({ part: 1, complete: true })
    expect(play()).toEqual(heard([4, 2], [6, 0]))
    expect(sent).toEqual([{ part: 1, frames: 8, finished: true }])
  })

  it("reports every 100 ms how much was played", () => {
    const { play, send, sent } = setUp()
    send({ part: 1, samples: samples(1_000, 1) })
    for (let block = 0; block < 25; block += 1) play()
    expect(sent).toEqual([
      { part: 1, frames: 100 },
      { part: 1, frames: 200 }
    ])
  })

  it("drops a part at once, and goes on with the next", () => {
    const { play, send, sent } = setUp()
    send({ part: 1, samples: samples(1_000, 1) })
    send({ part: 2, samples: samples(1_000, 2) })
    play()
    send({ part: 1, drop: true })
    expect(play()).toEqual(heard([10, 2]))
    expect(sent).toEqual([])
  })

  it("plays another part while one waits for more audio, and does not cut into it", () => {
    const { play, send, sent } = setUp()
    send({ part: 1, samples: samples(2, 1) })
    send({ part: 2, samples: samples(4, 2) })
    send({ part: 2, samples: samples(9, 2) })
    send({ part: 3, samples: samples(2, 3) })
    expect(play()).toEqual(heard([2, 1], [8, 2]))
    send({ part: 1, samples: samples(3, 1) })
    send({ part: 1, complete: true })
    send({ part: 2, complete: true })
    send({ part: 3, complete: true })
    expect(play()).toEqual(heard([5, 2], [3, 1], [2, 3]))
    play()
    expect(sent).toEqual([
      { part: 1, frames: 2 },
      { part: 2, frames: 13, finished: true },
      { part: 1, frames: 5, finished: true },
      { part: 3, frames: 2, finished: true }
    ])
  })

  it("finishes a part that completes after all of it was played", () => {
    const { play, send, sent } = setUp()
    send({ part: 1, samples: samples(4, 1) })
    play()
    send({ part: 1, complete: true })
    play()
    expect(sent).toEqual([
      { part: 1, frames: 4 },
      { part: 1, frames: 4, finished: true }
    ])
  })

  it("forgets the oldest of 64 parts that never complete", () => {
    const { play, send, sent } = setUp()
    for (let part = 1; part <= 100; part += 1) {
      send({ part, samples: samples(1, 1) })
      play()
    }
    sent.splice(0)
    for (let part = 1; part <= 100; part += 1) send({ part, complete: true })
    play()
    expect(sent.length).toBeGreaterThanOrEqual(64)
    expect(sent.length).toBeLessThan(67)
    expect(sent).toContainEqual({ part: 100, frames: 1, finished: true })
    expect(sent).not.toContainEqual({ part: 1, frames: 1, finished: true })
  })
})
