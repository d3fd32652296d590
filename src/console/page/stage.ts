/** The state of the page: a call, or the replay of one, and the steps that lead to it. */
import { signal } from "@preact/signals"
import * as Either from "effect/Either"
import type { About, Fault } from "../Protocol.js"
import { paths } from "../Protocol.js"
import { type Ask, GatewayCall, type Status } from "./client/GatewayCall.js"
import * as Server from "./client/Server.js"
import * as SessionFile from "./client/SessionFile.js"
import type { Entry } from "./model/Entry.js"
import { Overview } from "./model/Overview.js"

export type Stage =
  | { readonly _tag: "Loading" }
  /** No call is possible: the token is missing or wrong, or the server cannot be reached. */
  | { readonly _tag: "Locked"; readonly message: string }
  | { readonly _tag: "Live"; readonly call: GatewayCall; readonly beganAt: number; readonly startedAt: string }
  | { readonly _tag: "Replay"; readonly file: SessionFile.SessionFile; readonly name: string }

export const stage = signal<Stage>({ _tag: "Loading" })
export const about = signal<About | undefined>(undefined)
export const status = signal<Status>({ _tag: "Connecting" })
/** The overview of the entries so far. It changes in place, and `version` says when. */
export const overview = signal(new Overview())
export const version = signal(0)
/** Where the page is on the time axis: milliseconds from the beginning of the call. */
export const nowMs = signal(0)
/** The last command that was refused, and what to do. */
export const refusal = signal("")
export const faultNote = signal<{ readonly text: string; readonly isProblem: boolean }>({ text: "", isProblem: false })
export const fileProblem = signal("")

/** The largest number of entries in the download. If there are more, the oldest are dropped. */
const maxEntries = 100_000

let token = ""
let written: Array<SessionFile.Written> = []
let drawing = false
/** How many entries of the replay the overview has. */
let shown = 0

/** The page is drawn once for everything that arrives within a frame. A hidden page gets no frames, and draws later. */
const draw = (): void => {
  if (drawing) return
  drawing = true
  requestAnimationFrame(() => {
    drawing = false
    version.value += 1
  })
}

const add = (entry: Entry, asWritten: SessionFile.Written = entry): void => {
  overview.value.apply(entry)
  written.push(asWritten)
  if (written.length > maxEntries) written.splice(0, maxEntries / 10)
  draw()
}

export const load = async (): Promise<void> => {
  const found = Server.tokenOf(location.hash)
  if (found === undefined) {
    stage.value = { _tag: "Locked", message: "This address has no token. Open the one that the command printed." }
    return
  }
  token = found
  const known = await Server.about(token)
  if (Either.isLeft(known)) {
    stage.value = { _tag: "Locked", message: known.left.message }
    return
  }
  about.value = known.right
  begin()
}

/** Begins a call. The previous call, if any, is hung up. */
export const begin = (): void => {
  if (stage.value._tag === "Live") void stage.value.call.hangUp()
  const beganAt = performance.now()
  const elapsed = (): number => Math.round(performance.now() - beganAt)
  overview.value = new Overview()
  written = []
  refusal.value = ""
  nowMs.value = 0
  status.value = { _tag: "Connecting" }
  const address = new URL(paths.call, location.href)
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:"
  address.hash = ""
  const call: GatewayCall = new GatewayCall(
    address.href,
    token,
    { _tag: "Start", playback: "estimated" },
    {
      onStatus: (next) => {
        if (stage.value._tag === "Live" && stage.value.call !== call) return
        if (next._tag === "Reconnecting" && status.value._tag === "Open") {
          const message = "The page reconnects, and the call continues."
          add({ _tag: "Problem", atMs: elapsed(), title: "Connection to the console lost", message })
        }
        status.value = next
        draw()
      },
      onEvent: (event, encoded) => {
        const atMs = elapsed()
        add({ _tag: "Event", atMs, event }, { _tag: "Event", atMs, event: encoded })
      },
      onAudio: () => undefined
    }
  )
  stage.value = { _tag: "Live", call, beganAt, startedAt: new Date().toISOString() }
}

/** Sends a command. If it is refused, the reason is shown. */
export const ask = async (command: Ask): Promise<boolean> => {
  if (stage.value._tag !== "Live") return false
  const reply = await stage.value.call.ask(command)
  refusal.value = reply._tag === "Failed" ? reply.error.message : ""
  return reply._tag === "Done"
}

export const hangUp = (): void => {
  if (stage.value._tag === "Live") void stage.value.call.hangUp()
}

export const breakSocket = (): void => {
  if (stage.value._tag === "Live") stage.value.call.breakSocket()
}

export const inject = async (fault: Fault, note: string): Promise<void> => {
  const done = await Server.inject(token, fault)
  faultNote.value = Either.isRight(done)
    ? { text: note, isProblem: false }
    : { text: done.left.message, isProblem: true }
}

/** The session so far, as a file. */
export const download = (): void => {
  if (stage.value._tag !== "Live") return
  const { startedAt } = stage.value
  const text = SessionFile.write(startedAt, about.value?.agent ?? "", written)
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }))
  const link = document.createElement("a")
  link.href = address
  link.download = `session-${startedAt.replace(/[:.]/g, "-")}.json`
  link.click()
  // The browser reads the address before the click returns.
  URL.revokeObjectURL(address)
}

/** Shows a file instead of the call, which is hung up. */
export const replay = async (file: File): Promise<void> => {
  const read = SessionFile.read(await file.text())
  if (Either.isLeft(read)) {
    fileProblem.value = read.left
    return
  }
  fileProblem.value = ""
  if (stage.value._tag === "Live") stage.value.call.leave()
  stage.value = { _tag: "Replay", file: read.right, name: file.name }
  showUntil(0)
}

/** Shows the call as it was at this time of the replay. */
export const showUntil = (atMs: number): void => {
  if (stage.value._tag !== "Replay") return
  const { entries } = stage.value.file
  // When the time moves forward, only the new entries are added.
  if (atMs < nowMs.value || atMs === 0) {
    overview.value = new Overview()
    shown = 0
  }
  for (let entry = entries[shown]; entry !== undefined && entry.atMs <= atMs; entry = entries[shown]) {
    overview.value.apply(entry)
    shown += 1
  }
  nowMs.value = atMs
  draw()
}

/** The length of the replay, in milliseconds. */
export const replayMs = (file: SessionFile.SessionFile): number =>
  file.entries.reduce((longest, { atMs }) => Math.max(longest, atMs), 0)

/** Advances the time of a live call. */
export const tick = (): void => {
  if (stage.value._tag === "Live" && status.value._tag !== "Ended")
    nowMs.value = performance.now() - stage.value.beganAt
}
