/**
 * The worker thread: receives requests, and handles them one step at a time.
 */
import { parentPort } from "node:worker_threads"
import type { Outcome, Reply, Request, Task } from "../messages.js"
import { Lane } from "./Lane.js"
import { Models } from "./Models.js"
import { Unusable } from "./Unusable.js"

const models = new Models(new Lane())
/** Requests that are neither answered nor cancelled. */
const wanted = new Set<number>()

/** No outcome: the request was cancelled before its work began. */
const perform = async (task: Task, isWanted: () => boolean): Promise<Outcome | undefined> => {
  switch (task._tag) {
    case "Load":
      await models.load(task.recognizer)
      return { _tag: "Loaded" }
    case "Speak": {
      const audio = await models.speak(task, isWanted)
      return audio === undefined ? undefined : { _tag: "Spoken", audio }
    }
    case "Detect":
      return { _tag: "Detected", changes: await models.detect(task) }
    case "Recognize": {
      const text = await models.recognize(task.audio, task.format, task.recognizer, isWanted)
      return text === undefined ? undefined : { _tag: "Recognized", text }
    }
  }
}

const failed = (problem: unknown): Outcome => ({
  _tag: "Failed",
  reason: problem instanceof Unusable ? problem.reason : "ThreadEnded",
  message: problem instanceof Error ? problem.message : String(problem)
})

const answer = async (id: number, task: Task): Promise<void> => {
  wanted.add(id)
  const outcome = await perform(task, () => wanted.has(id)).catch(failed)
  if (!wanted.delete(id) || outcome === undefined) return
  const reply: Reply = { id, outcome }
  parentPort?.postMessage(reply)
}

parentPort?.on("message", (request: Request) => {
  switch (request._tag) {
    case "Ask":
      void answer(request.id, request.task)
      break
    case "Cancel":
      wanted.delete(request.id)
      break
    case "Forget":
      models.forget(request.detector)
      break
  }
})
