import { describe, expect, it } from "vitest"
import { Lane } from "../../../src/voice/worker/Lane.js"

const always = () => true

describe("The lane of the voice's thread", () => {
  it("does one thing at a time, the most urgent first, and of equals the one that came first", async () => {
    const lane = new Lane()
    const done: Array<string> = []
    let running = 0
    const step = (name: string) => async () => {
      running += 1
      expect(running).toBe(1)
      await Promise.resolve()
      done.push(name)
      running -= 1
    }
    await Promise.all([
      lane.run("recognize", always, step("words 1")),
      lane.run("recognize", always, step("words 2")),
      lane.run("speak", always, step("clause")),
      lane.run("detect", always, step("frame"))
    ])
    // The first one had begun when the others came.
    expect(done).toEqual(["words 1", "frame", "clause", "words 2"])
  })

  it("skips a job that is no longer awaited when its turn comes", async () => {
    const lane = new Lane()
    let wanted = true
    const first = lane.run("speak", always, () => {
      wanted = false
    })
    const second = lane.run(
      "speak",
      () => wanted,
      () => "spoken"
    )
    const third = lane.run("speak", always, () => "spoken too")
    await first
    expect(await second).toBeUndefined()
    expect(await third).toBe("spoken too")
  })

  it("does a less urgent step after a while, although more urgent ones never end", async () => {
    const lane = new Lane()
    let spoken = false
    let recognized = false
    let frames = 0
    const flood = async () => {
      while (!spoken || !recognized) {
        await lane.run("detect", always, () => {
          frames += 1
        })
        if (frames > 1_000) return
      }
    }
    const floods = Promise.all([flood(), flood(), flood()])
    await lane.run("speak", always, () => {
      spoken = true
    })
    expect(frames).toBeLessThan(20)
    await lane.run("recognize", always, () => {
      recognized = true
    })
    await floods
    expect(frames).toBeLessThan(60)
  })

  it("goes on after a step that fails", async () => {
    const lane = new Lane()
    const broken = lane.run("speak", always, () => Promise.reject(new Error("no memory")))
    const next = lane.run("speak", always, () => "spoken")
    await expect(broken).rejects.toThrow("no memory")
    expect(await next).toBe("spoken")
  })

  it("lets others in between two steps of a long job", async () => {
    const lane = new Lane()
    const done: Array<string> = []
    const job = (async () => {
      for (let token = 0; token < 3; token++)
        await lane.run("recognize", always, () => void done.push(`token ${token}`))
    })()
    setImmediate(() => void lane.run("detect", always, () => void done.push("frame")))
    await job
    expect(done.indexOf("frame")).toBeGreaterThan(-1)
    expect(done.indexOf("frame")).toBeLessThan(done.indexOf("token 2"))
  })
})
