import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { encodeBase64 } from "../../audio/Base64.js"
import { asBytes, bytesPerSecond, maxAppendBytes, split, validate } from "../../audio/Format.js"
import { InvalidAudio } from "../../audio/InvalidAudio.js"
import * as AudioLane from "../../machine/AudioLane.js"
import * as InputStream from "../../machine/InputStream.js"
import { Append } from "../../protocol/Append.js"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { AudioFormat } from "../../protocol/SessionConfig.js"
import type { Connection } from "../../RealtimeModel.js"
import { SessionClosed } from "../../SessionError.js"
import type { Parts } from "../Parts.js"

/** How long a reader that sends a file at once is held back before its audio is dropped. Milliseconds. */
const patience = 1000

/** How often to check a network that is behind. Milliseconds. */
const interval = 20

/** How much audio is sent again on a new connection, in seconds: more than voice detection lags behind. */
const overlap = 1

interface Piece {
  readonly event: ClientEvent
  /** The audio in the event, if any. */
  readonly audio: InputStream.Piece | undefined
  readonly sent: () => void
}

type Entry = AudioLane.Entry<Piece>
type AudioEntry = Extract<Entry, { readonly _tag: "Audio" }>

const nothing = (): void => undefined

const elsewhere = new InvalidAudio({
  reason: "Elsewhere",
  message: "The user's audio reaches the server over WebRTC or a phone line, so this session sends none: leave it out."
})

/** The user's audio as one event carries it. */
const audioEntry = (format: AudioFormat, bytes: Uint8Array): AudioEntry => {
  const seconds = bytes.length / bytesPerSecond(format)
  const event = new Append(encodeBase64(bytes))
  const audio = { audio: event.audio, bytes: bytes.length, ms: seconds * 1000, format }
  return { _tag: "Audio", event: { event, audio, sent: nothing }, seconds }
}

/**
 * The user's audio on its way to the server. It bypasses the loop, because it does not need the loop's order. While
 * nothing can be sent, it waits in its own queue, limited in time.
 */
export class InputAudio {
  readonly #session: Parts
  readonly #lane: AudioLane.AudioLane<Piece>
  /** While a move is being prepared: the latest audio. */
  #recent: AudioLane.AudioLane<Piece> | undefined
  readonly #stream: InputStream.InputStream
  /** According to the server's voice detection. */
  #isSpeaking = false
  #lookAgainAt: number | undefined
  #isDraining = false

  constructor(session: Parts) {
    this.#session = session
    const { inputAudio, turnAudio } = session.options
    this.#lane = new AudioLane.AudioLane(inputAudio.maxSeconds)
    this.#stream = new InputStream.InputStream(turnAudio.maxBytes)
  }

  /** All of it is checked before anything is sent, including that it is bytes. */
  send(audio: unknown): Effect.Effect<void, InvalidAudio | SessionClosed> {
    return Effect.suspend(() => {
      if (this.#session.connections.traits.audio === "elsewhere") return Effect.fail(elsewhere)
      const checked = asBytes(audio)
      if (Either.isLeft(checked)) return Effect.fail(checked.left)
      const bytes = checked.right
      const format = this.#session.configuration.inputFormat()
      if (bytes.length > maxAppendBytes) return this.#sendInPieces(format, bytes)
      if (bytes.length === 0) return Effect.void
      const invalid = validate(format, bytes)
      return Either.isLeft(invalid) ? Effect.fail(invalid.left) : this.#say(audioEntry(format, bytes))
    })
  }

  /** `sent`: called when the end of the turn was sent after its audio, or was lost with it. */
  commit(sent: () => void): void {
    const event: ClientEvent = { type: "input_audio_buffer.commit", event_id: this.#session.newId("cmt") }
    this.#mark({ _tag: "Commit", event: { event, audio: undefined, sent } })
  }

  clear(): void {
    const event: ClientEvent = { type: "input_audio_buffer.clear", event_id: this.#session.newId("clr") }
    this.#mark({ _tag: "Clear", event: { event, audio: undefined, sent: nothing } })
  }

  /** The server has made this item from committed audio, or from speech that its voice detection found. */
  committed(itemId: string): void {
    this.#session.turnAudio.heard(itemId, this.#stream.committed(itemId))
  }

  /** The server refused an event of this session. */
  refused(eventId: string): void {
    this.#stream.refused(eventId)
  }

  /** Audio for the lost connection is dropped. Audio from now on waits for the next one. */
  disconnected(): void {
    for (const { event } of this.#lane.discard()) event.sent()
    // It is not known whether audio that the server's voice detection had already taken was lost.
    this.#tellDropped(this.#session.configuration.detectsTurns() ? 0 : this.#stream.unansweredMs() / 1000)
    this.#stream.reset()
    this.#isSpeaking = false
    this.#lookAgainAt = undefined
  }

  /** There is a new connection: waiting audio is sent there. */
  connected(): void {
    this.#tellDropped(0)
    this.#session.outbox.run(this.#drain())
  }

  /**
   * The connection will be replaced at a quiet moment. The last second is sent to both connections, because a word may
   * begin in it.
   */
  prepareMove(): void {
    this.#recent = this.#session.configuration.detectsTurns() ? new AudioLane.AudioLane(overlap) : undefined
  }

  /** The move happens now. */
  moved(): void {
    for (const entry of this.#recent?.takeAll() ?? []) this.#lane.add(entry)
    this.#recent = undefined
  }

  /** According to the server's voice detection, at this position in all audio that it was sent. */
  turnBegan(itemId: string, atMs: number): void {
    this.#isSpeaking = true
    this.#stream.speechBegan(itemId, atMs)
  }

  /** The turn that was spoken so far is over. */
  turnEnded(itemId: string, atMs: number): void {
    this.#isSpeaking = false
    this.#stream.speechEnded(itemId, atMs)
    this.#forgetRecent()
  }

  /** The server counts this stretch as a turn, although nobody spoke. */
  turnPassed(itemId: string, fromMs: number, toMs: number): void {
    this.#stream.speechBegan(itemId, fromMs)
    this.#stream.speechEnded(itemId, toMs)
  }

  /** Nothing waits, and the user is not in the middle of a turn. */
  isIdle(): boolean {
    if (!this.#lane.isEmpty() || this.#isDraining) return false
    return this.#session.configuration.detectsTurns() ? !this.#isSpeaking : this.#stream.uncommittedMs() === 0
  }

  deadline(): number | undefined {
    return this.#lookAgainAt
  }

  timePassed(): void {
    if (this.#lookAgainAt === undefined || this.#lookAgainAt > this.#session.now()) return
    this.#tellDropped(0)
    this.#session.outbox.run(this.#drain())
  }

  #sendInPieces(format: AudioFormat, bytes: Uint8Array): Effect.Effect<void, InvalidAudio | SessionClosed> {
    return Effect.flatMap(
      Effect.forEach(split(bytes), (piece) => validate(format, piece)),
      (pieces) =>
        Effect.forEach(pieces, (piece) => Effect.suspend(() => this.#say(audioEntry(format, piece))), { discard: true })
    )
  }

  /** At once, if the line is open. */
  #say(entry: AudioEntry): Effect.Effect<void, SessionClosed> {
    if (this.#session.isEnded()) return new SessionClosed()
    const connection = this.#openLine()
    if (connection !== undefined) return this.#sayOn(connection, entry)
    return Effect.flatMap(this.#holdBack(), () => {
      if (this.#session.isEnded()) return new SessionClosed()
      const connection = this.#openLine()
      if (connection !== undefined) return this.#sayOn(connection, entry)
      this.#recent?.add(entry)
      this.#wait(entry)
      return Effect.void
    })
  }

  #sayOn(connection: Connection, entry: AudioEntry): Effect.Effect<void> {
    this.#recent?.add(entry)
    this.#leaves(entry)
    return Effect.catchAll(connection.send(entry.event.event), () =>
      Effect.sync(() => {
        if (entry.event.audio !== undefined) this.#stream.takeBack(entry.event.audio)
        this.#wait(entry)
      })
    )
  }

  #canSend(connection: Connection): boolean {
    return connection.bufferedBytes() <= this.#session.options.inputAudio.maxBufferedBytes
  }

  /** Waiting audio goes first. */
  #openLine(): Connection | undefined {
    if (!this.#lane.isEmpty() || this.#isDraining) return undefined
    const connection = this.#session.connections.current
    return connection !== undefined && this.#canSend(connection) ? connection : undefined
  }

  #wait(entry: Entry): void {
    this.#lane.add(entry)
    if (this.#lookAgainAt !== undefined || !this.#session.isOnline()) return
    this.#lookAgainAt = this.#session.now() + interval
    // The loop must set its alarm again.
    this.#session.inbox.offer({ _tag: "TimePassed" })
  }

  /** Remembers what is sent to the server, in order. */
  #leaves({ _tag, event: { audio, event } }: Entry): void {
    if (audio !== undefined) {
      this.#stream.sent(audio, this.#session.now(), this.#session.configuration.detectsTurns())
    }
    if (_tag !== "Audio") this.#stream.marked(_tag, event.event_id)
  }

  /** Holds back a reader that sends a whole file at once. A microphone cannot be held back for long. */
  #holdBack(): Effect.Effect<void> {
    const { connections } = this.#session
    const connection = connections.current
    if (connection === undefined || !this.#lane.isEmpty() || this.#canSend(connection)) return Effect.void
    return Effect.sleep(interval).pipe(
      Effect.repeat({
        // In addition to the first.
        times: patience / interval - 1,
        until: () => connections.current !== connection || this.#canSend(connection)
      }),
      Effect.asVoid
    )
  }

  #drain(): Effect.Effect<void> {
    const input = this
    const { connections } = this.#session
    const lane = this.#lane
    return Effect.gen(function* () {
      input.#isDraining = true
      for (
        let line = connections.current;
        line !== undefined && !lane.isEmpty() && input.#canSend(line);
        line = connections.current
      ) {
        for (const entry of lane.takeAll()) {
          input.#leaves(entry)
          yield* Effect.ignore(line.send(entry.event.event))
          entry.event.sent()
        }
      }
    }).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          this.#isDraining = false
          const isDone = lane.isEmpty() || !this.#session.isOnline()
          this.#lookAgainAt = isDone ? undefined : this.#session.now() + interval
        })
      )
    )
  }

  /** Ends or drops the turn so far, after everything that was said before. */
  #mark(entry: Exclude<Entry, AudioEntry>): void {
    this.#forgetRecent()
    if (this.#openLine() === undefined) {
      this.#wait(entry)
      return
    }
    this.#leaves(entry)
    // In the loop's order.
    this.#session.outbox.send(entry.event.event)
    entry.event.sent()
  }

  /** The last turn does not need an overlap. */
  #forgetRecent(): void {
    if (this.#recent !== undefined) this.#recent = new AudioLane.AudioLane(overlap)
  }

  #tellDropped(lostSeconds: number): void {
    const seconds = this.#lane.takeDroppedSeconds() + lostSeconds
    if (seconds > 0) this.#session.outbox.publish({ _tag: "InputAudioDropped", seconds })
  }
}
