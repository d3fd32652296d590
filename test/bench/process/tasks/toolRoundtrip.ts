import { WebSocket } from "ws"
import type { Client } from "../contenders/Client.js"
import type { Task } from "./Task.js"

/** All contenders send through `ws`, so the moment of sending is the same for all. */
const watchRequests = (sent: () => void): void => {
  const { send } = WebSocket.prototype
  const watched = function (this: WebSocket, ...args: Parameters<WebSocket["send"]>): void {
    if (String(args[0]).includes('"response.create"')) sent()
    send.apply(this, args)
  }
  // `send` has overloads, which a function that passes on whatever it gets can not have.
  WebSocket.prototype.send = watched as WebSocket["send"]
}

/**
 * The model calls a tool, again and again: a sample is the time from sending `response.create` to the start of the
 * handler. The call that ends a lap is answered when the next one begins.
 */
export const task: Task = async (connect, url) => {
  let sentAt = 0
  let left = 0
  let samples: Array<number> = []
  let finish: () => void = () => undefined
  let goOn: (() => void) | undefined
  watchRequests(() => {
    sentAt = performance.now()
  })
  const onCall = (): string | Promise<string> => {
    samples.push(performance.now() - sentAt)
    left -= 1
    if (left > 0) return "ok"
    finish()
    return new Promise((resolve) => {
      goOn = () => resolve("ok")
    })
  }
  const begin = async (): Promise<Client> => {
    goOn = undefined
    // What the model says is listened to as well, though it says nothing.
    return connect(url, { onCall, onAudio: () => undefined })
  }
  let client = await begin()
  return {
    lap: async (amount) => {
      samples = []
      left = amount
      await new Promise<void>((resolve) => {
        finish = resolve
        if (goOn === undefined) client.say("Go on.")
        else goOn()
      })
      return { samples }
    },
    /** A conversation without a past, in a process that knows the work. */
    anew: async () => {
      await client.close()
      client = await begin()
      return undefined
    }
  }
}
