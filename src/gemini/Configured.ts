/** The settings of one connection: Gemini takes them once, at its beginning. */
import { defaultFormat } from "../audio/Format.js"
import type { SessionUpdate } from "../protocol/ClientEvent.js"
import type { AudioFormat } from "../protocol/SessionConfig.js"
import type { Line } from "./Line.js"
import { Microphone, Voice } from "./Sound.js"
import { sessionOf } from "./sessionOf.js"
import { type Manner, merged, problemsOf, type Settings, setupOf } from "./setup.js"

export class Configured {
  readonly #line: Line
  readonly #manner: Manner
  #settings: Settings = {}
  /** As they were asked for, before those that this connection is for. */
  #asked: Settings = {}
  #setup = ""
  #wanted: Settings | undefined
  #microphone = new Microphone(defaultFormat)
  #voice = new Voice(defaultFormat)

  constructor(line: Line, manner: Manner) {
    this.#line = line
    this.#manner = manner
  }

  get settings(): Settings {
    return this.#settings
  }

  get microphone(): Microphone {
    return this.#microphone
  }

  get voice(): Voice {
    return this.#voice
  }

  /** Settings that take another connection. */
  get wanted(): Settings | undefined {
    return this.#wanted
  }

  /** `wanted`: what the connection before could not take. Returns whether the settings were sent. */
  begin(event: SessionUpdate, handle: string | undefined, wanted: Settings | undefined): boolean {
    const settings = this.#settingsIn(event)
    if (settings === undefined) return false
    this.#asked = settings
    this.#adopt(wanted === undefined ? settings : merged(settings, wanted))
    this.#line.tell({ setup: setupOf(this.#settings, this.#manner, handle) })
    return true
  }

  confirmed(): void {
    const session = sessionOf(this.#asked, this.#manner.model)
    this.#line.emit({ type: "session.created", session })
    this.#line.emit({ type: "session.updated", session })
  }

  /** Returns whether they take another connection. */
  update(event: SessionUpdate): boolean {
    const settings = this.#settingsIn(event)
    if (settings === undefined) return false
    if (JSON.stringify(setupOf(settings, this.#manner, undefined)) !== this.#setup) {
      this.#wanted = settings
      return true
    }
    this.#adopt(settings)
    this.#line.emit({ type: "session.updated", session: sessionOf(settings, this.#manner.model) })
    return false
  }

  #settingsIn(event: SessionUpdate): Settings | undefined {
    if (event.session.type !== "realtime") {
      const message = "Gemini has no sessions for transcription alone."
      this.#line.refuse(event, { code: "unsupported_session", message, param: "session.type" })
      return undefined
    }
    const { type: _, ...update } = event.session
    const [problem] = problemsOf(update)
    if (problem === undefined) return merged(this.#settings, update)
    this.#line.refuse(event, { code: "unsupported_setting", ...problem })
    return undefined
  }

  #adopt(settings: Settings): void {
    const before = formatsOf(this.#settings)
    const after = formatsOf(settings)
    if (before.input.type !== after.input.type) this.#microphone = new Microphone(after.input)
    if (before.output.type !== after.output.type) this.#voice = new Voice(after.output)
    this.#settings = settings
    this.#setup = JSON.stringify(setupOf(settings, this.#manner, undefined))
  }
}

const formatsOf = ({ audio }: Settings): { readonly input: AudioFormat; readonly output: AudioFormat } => ({
  input: audio?.input?.format ?? defaultFormat,
  output: audio?.output?.format ?? defaultFormat
})
