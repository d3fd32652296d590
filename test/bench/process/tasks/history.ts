import { makeCountdown } from "./countdown.js"
import type { Task } from "./Task.js"

/** Items come into one conversation, that grows: a lap ends when the last of them is complete. */
export const task: Task = async (connect, url) => {
  const items = makeCountdown()
  const client = await connect(url, { onItem: items.tick })
  return { lap: (amount) => items.from(amount, client.askForResponse) }
}
