import type { Client, Wishes } from "../contenders/Client.js"
import { makeCountdown } from "./countdown.js"
import { sound } from "./sound.js"
import type { Task } from "./Task.js"

/** What seldom happens and may not hurt: each step is one such thing, of so much. */
export const task: Task = async (connect, url) => {
  let client: Client | undefined
  let output = "ok"
  const items = makeCountdown()
  const responses = makeCountdown()
  const wishes: Wishes = { onItem: items.tick, onResponseDone: responses.tick, onCall: () => output }
  const opened = (): Client => {
    if (client === undefined) throw new Error("Nothing is open.")
    return client
  }

  return {
    /** With this many tools, in place of the session that was open. */
    open: async (tools) => {
      await client?.close()
      client = await connect(url, { ...wishes, tools })
      return undefined
    },
    /** This many items are added to the conversation. */
    items: (amount) => items.from(amount, opened().askForResponse),
    /** One response of this many events. */
    burst: () => responses.from(1, opened().askForResponse),
    /** The model calls, is answered, and speaks. */
    calls: () => {
      output = "ok"
      return responses.from(2, opened().askForResponse)
    },
    /** The same, with one answer of this many kB. */
    output: (kilobytes) => {
      output = "x".repeat(kilobytes * 1000)
      return responses.from(2, opened().askForResponse)
    },
    /** So many kB of audio at once. */
    append: (kilobytes) =>
      items.from(1, () => {
        opened().sendAudio(sound(kilobytes * 1000))
        opened().commitAudio()
      })
  }
}
