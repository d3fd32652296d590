/** The state of the page: a call, or the replay of one, and the steps that lead to it. */
import { signal } from "@preact/signals"
import * as Either from "effect/Either"
import * as Audio from "../../Audio.js"
import type { About, Fault } from "../Protocol.js"
import { paths } from "../Protocol.js"
import * as Call from "./client/Call.js"
import * as Server from "./client/Server.js"
import * as SessionFile from "./client/SessionFile.js"
import type { Entry } from "./model/Entry.js"
import { Levels } from "./model/Levels.js"
import { Overview } from "./model/Overview.js"
import * as voice from "./voice.js"

export type Stage =
  | { readonly _tag: "Loading" }
  /** No call is possible: the token is missing or wrong, or the server cannot be reached. */
  | { readonly _tag: "Locked"; readonly message: string }
  | { readonly _tag: "Live"; readonly call: Call.Call; readonly beganAt: number; readonly startedAt: string }
  | { readonly _tag: "Replay"; readonly file: SessionFile.SessionFile; readonly name: string }

export const stage = signal<Stage>({ _tag: "Loading" })
export const about = signal<About | undefined>(undefined)
export const status = signal<Call.Status>({ _tag: "Connecting" })
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
let entries: Array<Entry> = []
let drawing = false
let heldAt = 0
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

const add = (entry: Entry): void => {
  overview.value.apply(entry)
  entries.push(entry)
  if (entries.length > maxEntries) entries.splice(0, maxEntries / 10)
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
  voice.watchDevices()
  begin()
}

/** Begins a call. The previous call, if any, is hung up. */
export const begin = (): void => {
  leave()
  const beganAt = performance.now()
  const elapsed = (): number => Math.round(performance.now() - beganAt)
  overview.value = new Overview()
  entries = []
  refusal.value = ""
  nowMs.value = 0
  status.value = { _tag: "Connecting" }
  const address = new URL(paths.call, location.href)
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:"
  address.hash = ""
  let output = Audio.defaultFormat
  let said = new Levels(output)
  const isCurrent = (): boolean => stage.value._tag === "Live" && stage.value.call === call
  const call: Call.Call = Call.begin(address.href, token, voice.turns.value, {
    onStatus: (next) => {
      if (!isCurrent()) return
      if (next._tag === "Reconnecting" && status.value._tag === "Connected") {
        const message = "The page reconnects, and the call continues."
        add({ _tag: "Problem", atMs: elapsed(), title: "Connection to the console lost", message })
      }
      if (next._tag === "Ended") voice.disconnect()
      status.value = next
      draw()
    },
    onClient: (client) => {
      if (!isCurrent()) return
      output = client.welcome.output
      said = new Levels(output)
      const heard = new Levels(client.welcome.input)
      const onHeard = (bytes: Uint8Array): void => {
        const atMs = elapsed()
        for (const level of heard.push(bytes)) add({ _tag: "Heard", atMs, level })
      }
      voice.connect({ client, onHeard })
    },
    onNews: (news) => {
      if (!isCurrent()) return
      voice.take(news)
      const atMs = elapsed()
      if (news._tag === "Event") return add({ _tag: "Event", atMs, event: news.event })
      const { bytes, itemId } = news.chunk
      add({
        _tag: "Spoken",
        atMs,
        itemId,
        durationMs: Audio.durationMs(output, bytes.length),
        levels: said.push(bytes)
      })
    }
  })
  stage.value = { _tag: "Live", call, beganAt, startedAt: new Date().toISOString() }
}

/** Leaves the call, if there is one. */
const leave = (): void => {
  if (stage.value._tag !== "Live") return
  voice.disconnect()
  stage.value.call.leave()
}

/** Carries out a command. If it is refused, the reason is shown. */
export const ask = async (command: Call.Ask): Promise<boolean> => {
  if (stage.value._tag !== "Live") return false
  const done = await stage.value.call.ask(command)
  refusal.value = Either.isLeft(done) ? done.left : ""
  return Either.isRight(done)
}

const sinceBegin = ({ beganAt }: Extract<Stage, { readonly _tag: "Live" }>): number =>
  Math.round(performance.now() - beganAt)

/** Sends a text of the user. */
export const sendText = (text: string): Promise<boolean> => {
  if (stage.value._tag === "Live") add({ _tag: "Typed", atMs: sinceBegin(stage.value) })
  return ask((client) => client.sendText(text))
}

export const hangUp = (): void => {
  void ask((client) => client.hangUp)
}

export const breakSocket = (): void => {
  if (stage.value._tag === "Live") stage.value.call.breakSocket()
}

/** Chooses who decides when a turn of the user ends. */
export const setTurns = async (turns: Call.Turns): Promise<void> => {
  if (await ask((client) => client.setTurns(turns))) voice.turns.value = turns
}

/** The user presses the button, and talks. Whatever the agent is saying ends. */
export const hold = (): void => {
  if (voice.isHeld.value) return
  voice.isHeld.value = true
  heldAt = performance.now()
  void ask((client) => client.interrupt)
}

/** The user lets the button go: the turn is over, and the model answers. */
export const release = (): void => {
  if (!voice.isHeld.value) return
  voice.isHeld.value = false
  if (stage.value._tag === "Live") {
    add({ _tag: "Released", atMs: sinceBegin(stage.value), heldMs: Math.round(performance.now() - heldAt) })
  }
  void ask((client) => client.commitAudio)
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
  const text = SessionFile.write(startedAt, about.value?.agent ?? "", entries)
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
  leave()
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
