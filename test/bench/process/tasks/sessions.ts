import { monitorEventLoopDelay } from "node:perf_hooks"
import { setTimeout } from "node:timers/promises"
import type { Client } from "../contenders/Client.js"
import { sound } from "./sound.js"
import type { Task } from "./Task.js"

/** 20 ms of speech at 24,000 samples per second: 1.3 kB as an event. */
const piece = sound(960)
const everyMs = 20
/** How often the lag is sampled. The histogram includes it even for a loop that has no lag. */
const resolution = 5

const collectGarbage = async (): Promise<void> => {
  for (let time = 0; time < 3; time += 1) {
    globalThis.gc?.()
    await setTimeout(50)
  }
}

/** Many sessions in one process, all of them read: nothing is said, or all of them talk. */
export const task: Task = async (connect, url) => {
  const clients: Array<Client> = []
  let heard = 0
  const onAudio = (): void => {
    heard += 1
  }

  const speak = (client: Client, seconds: number, delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      let left = (seconds * 1000) / everyMs
      globalThis.setTimeout(() => {
        client.askForResponse()
        const timer = setInterval(() => {
          client.sendAudio(piece)
          left -= 1
          if (left > 0) return
          clearInterval(timer)
          resolve()
        }, everyMs)
      }, delayMs)
    })

  return {
    open: async (count) => {
      for (let opened = 0; opened < count; opened += 1) clients.push(await connect(url, { onAudio }))
      return undefined
    },
    closeAll: async () => {
      await Promise.all(clients.splice(0).map((client) => client.close()))
      return undefined
    },
    heap: async () => {
      await collectGarbage()
      return { values: { heapKb: process.memoryUsage().heapUsed / 1024 } }
    },
    wait: async (seconds) => {
      await setTimeout(seconds * 1000)
      return undefined
    },
    /** Each at its own moment within the first 50 ms, between two pieces of the model's. */
    talk: async (seconds) => {
      heard = 0
      const delay = monitorEventLoopDelay({ resolution })
      delay.enable()
      await Promise.all(clients.map((client, index) => speak(client, seconds, (index * 50) / clients.length)))
      // The end of the model's answer.
      await setTimeout(100)
      delay.disable()
      const lagP99Ms = Math.max(0, delay.percentile(99) / 1e6 - resolution)
      return { values: { lagP99Ms, heard: heard / clients.length } }
    }
  }
}
