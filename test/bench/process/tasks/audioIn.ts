import { setImmediate } from "node:timers/promises"
import { makeCountdown } from "./countdown.js"
import { sound } from "./sound.js"
import type { Task } from "./Task.js"

/** The user speaks: one append in a turn of the event loop, as they come from a device. A lap is a turn of the user's. */
export const task: Task = async (connect, url, bytes) => {
  const items = makeCountdown()
  const client = await connect(url, { onItem: items.tick })
  const piece = sound(bytes)
  return {
    lap: async (amount) => {
      for (let sent = 0; sent < amount; sent += 1) {
        client.sendAudio(piece)
        await setImmediate()
      }
      return items.from(1, client.commitAudio)
    }
  }
}
