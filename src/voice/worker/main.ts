/**
 * The worker thread: receives requests, and handles them one step at a time.
 */
import { parentPort } from "node:worker_threads"
import * as Audio from "../../Audio.js"
import type { Outcome, Reply, Request, Task } from "../messages.js"
import { Flite } from "./Flite.js"
import { Lane } from "./Lane.js"
import { Unusable } from "./Unusable.js"

const lane = new Lane()
/** Requests that are neither answered nor cancelled. */
const wanted = new Set<number>()

/** Loads once. A failed load is tried again, because a package may have been installed since. */
const once = <A>(load: () => Promise<A>): (() => Promise<A>) => {
  let loaded: Promise<A> | undefined
  return () => {
    loaded ??= load().catch((problem: unknown) => {
      loaded = undefined
      throw problem
    })
    return loaded
  }
}

const flite = once(() => Flite.load())

const encoded = (speech: { readonly samples: Int16Array; readonly sampleRate: number }, format: Audio.AudioFormat) => {
  const from = speech.sampleRate === 8_000 ? 8_000 : 16_000
  return Audio.encode(format, Audio.resample(speech.samples, from, Audio.sampleRate(format)))
}

const perform = async (task: Task, isWanted: () => boolean): Promise<Outcome | undefined> => {
  switch (task._tag) {
    case "Load":
      await flite()
      return { _tag: "Loaded" }
    case "Speak": {
      const voice = await flite()
      return lane.run("speak", isWanted, () => ({
        _tag: "Spoken",
        audio: encoded(voice.speak(task.clause, task.speaker), { type: task.format })
      }))
    }
  }
}

const failed = (problem: unknown): Outcome => ({
  _tag: "Failed",
  reason: problem instanceof Unusable ? problem.reason : "ThreadEnded",
  message: problem instanceof Error ? problem.message : String(problem)
})

parentPort?.on("message", (request: Request) => {
  if (request._tag === "Cancel") {
    wanted.delete(request.id)
    return
  }
  const { id, task } = request
  wanted.add(id)
  void perform(task, () => wanted.has(id))
    .catch(failed)
    .then((outcome) => {
      if (!wanted.delete(id) || outcome === undefined) return
      const reply: Reply = { id, outcome }
      parentPort?.postMessage(reply)
    })
})
