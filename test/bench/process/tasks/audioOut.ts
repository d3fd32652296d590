import { makeCountdown } from "./countdown.js"
import type { Task } from "./Task.js"

/** The model speaks: a lap ends when the listener has the last of its bytes. */
export const task: Task = async (connect, url, bytes) => {
  const pieces = makeCountdown()
  const onAudio = (heard: Uint8Array): void => {
    if (heard.byteLength !== bytes) throw new Error(`Heard ${heard.byteLength} bytes instead of ${bytes}.`)
    pieces.tick()
  }
  const client = await connect(url, { onAudio })
  return { lap: (amount) => pieces.from(amount, client.askForResponse) }
}
