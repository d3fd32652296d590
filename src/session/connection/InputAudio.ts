import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { encodeBase64 } from "../../audio/Base64.js"
import { asBytes, bytesPerSecond, maxAppendBytes, split, validate } from "../../audio/Format.js"
import type { InvalidAudio } from "../../audio/InvalidAudio.js"
import * as AudioLane from "../../machine/AudioLane.js"
import * as InputStream from "../../machine/InputStream.js"
import { Append } from "../../protocol/Append.js"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { AudioFormat } from "../../protocol/SessionConfig.js"
import type { Connection } from "../../RealtimeModel.js"
import { SessionClosed } from "../../SessionError.js"
import type { Parts } from "../Parts.js"

/** A reader that sends a file at once is held back for so long before its audio is dropped. Milliseconds. */
const patience = 1000

/** How often a network that is behind is looked at again. Milliseconds. */
const interval = 20

/** How much is sent again on a connection that takes over, in seconds: more than voice detection is behind. */
const overlap = 1

interface Piece {
  readonly event: ClientEvent
  /** What of it is audio. */
  readonly audio: InputStream.Piece | undefined
  readonly sent: () => void
}

type Entry = AudioLane.Entry<Piece>
type AudioEntry = Extract<Entry, { readonly _tag: "Audio" }>

const nothing = (): void => undefined

/** What was said, as one event carries it. */
const audioEntry = (format: AudioFormat, bytes: Uint8Array): AudioEntry => {
  const seconds = bytes.length / bytesPerSecond(format)
  const event = new Append(encodeBase64(bytes))
  const audio = { audio: event.audio, bytes: bytes.length, ms: seconds * 1000, format }
  return { _tag: "Audio", event: { event, audio, sent: nothing }, seconds }
}

/**
 * What the user says, on its way to the server: straight to the wire, past the loop, for it needs none of the loop's
 * order. While nothing can be sent it waits in a lane of its own, bounded in time.
 */
export class InputAudio {
  readonly #session: Parts
  readonly #lane: AudioLane.AudioLane<Piece>
  /** While a move is prepared: what was said last. */
  #recent: AudioLane.AudioLane<Piece> | undefined
  readonly #stream: InputStream.InputStream
  /** As the server's voice detection has it. */
  #isSpeaking = false
  #lookAgainAt: number | undefined
  #isDraining = false

  constructor(session: Parts) {
    this.#session = session
    const { inputAudio, turnAudio } = session.options
    this.#lane = new AudioLane.AudioLane(inputAudio.maxSeconds)
    this.#stream = new InputStream.InputStream(turnAudio.maxBytes)
  }

  /** All of it is checked before anything is sent, also that it is bytes. */
  send(audio: unknown): Effect.Effect<void, InvalidAudio | SessionClosed> {
    return Effect.suspend(() => {
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

  /** `sent`: called when the turn's end is on its way behind its audio, or lost with it. */
  commit(sent: () => void): void {
    const event: ClientEvent = { type: "input_audio_buffer.commit", event_id: this.#session.newId("cmt") }
    this.#mark({ _tag: "Commit", event: { event, audio: undefined, sent } })
  }

  clear(): void {
    const event: ClientEvent = { type: "input_audio_buffer.clear", event_id: this.#session.newId("clr") }
    this.#mark({ _tag: "Clear", event: { event, audio: undefined, sent: nothing } })
  }

  /** The server has made this item of what was committed, or of what its voice detection took. */
  committed(itemId: string): void {
    this.#session.turnAudio.heard(itemId, this.#stream.committed(itemId))
  }

  /** The server refused an event of ours. */
  refused(eventId: string): void {
    this.#stream.refused(eventId)
  }

  /** What was meant for the connection that is gone is dropped; what is said from now on waits for the next. */
  disconnected(): void {
    for (const { event } of this.#lane.discard()) event.sent()
    // Of what the server's voice detection had taken already, it is not known here whether it was lost.
    this.#tellDropped(this.#session.configuration.detectsTurns() ? 0 : this.#stream.unansweredMs() / 1000)
    this.#stream.reset()
    this.#isSpeaking = false
    this.#lookAgainAt = undefined
  }

  /** There is another connection: what waited goes there. */
  connected(): void {
    this.#tellDropped(0)
    this.#session.outbox.run(this.#drain())
  }

  /** The connection will be replaced in a quiet moment: the last second goes to both, for a word may begin in it. */
  prepareMove(): void {
    this.#recent = this.#session.configuration.detectsTurns() ? new AudioLane.AudioLane(overlap) : undefined
  }

  /** The moment has come. */
  moved(): void {
    for (const entry of this.#recent?.takeAll() ?? []) this.#lane.add(entry)
    this.#recent = undefined
  }

  /** By the server's voice detection, at this time of all audio that it was sent. */
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

  /** The server takes this stretch for a turn, in which nobody spoke. */
  turnPassed(itemId: string, fromMs: number, toMs: number): void {
    this.#stream.speechBegan(itemId, fromMs)
    this.#stream.speechEnded(itemId, toMs)
  }

  /** Nothing waits, and the user is not in the midst of a turn. */
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

  /** At once, where the line is open. */
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

  /** What waits goes first. */
  #openLine(): Connection | undefined {
    if (!this.#lane.isEmpty() || this.#isDraining) return undefined
    const connection = this.#session.connections.current
    return connection !== undefined && this.#canSend(connection) ? connection : undefined
  }

  #wait(entry: Entry): void {
    this.#lane.add(entry)
    if (this.#lookAgainAt !== undefined || !this.#session.isOnline()) return
    this.#lookAgainAt = this.#session.now() + interval
    // The loop is to set its alarm anew.
    this.#session.inbox.offer({ _tag: "TimePassed" })
  }

  /** Remembers what goes to the server in the order in which it goes. */
  #leaves({ _tag, event: { audio, event } }: Entry): void {
    if (audio !== undefined) {
      this.#stream.sent(audio, this.#session.now(), this.#session.configuration.detectsTurns())
    }
    if (_tag !== "Audio") this.#stream.marked(_tag, event.event_id)
  }

  /** Holds back who sends a whole file at once; a microphone can not be held back for long. */
  #holdBack(): Effect.Effect<void> {
    const { connections } = this.#session
    const connection = connections.current
    if (connection === undefined || !this.#lane.isEmpty() || this.#canSend(connection)) return Effect.void
    return Effect.sleep(interval).pipe(
      Effect.repeat({
        // Besides the first.
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

  /** Ends or drops the turn that was spoken so far, behind everything that was said before. */
  #mark(entry: Exclude<Entry, AudioEntry>): void {
    this.#forgetRecent()
    if (this.#openLine() === undefined) {
      this.#wait(entry)
      return
    }
    this.#leaves(entry)
    // In the loop's own order.
    this.#session.outbox.send(entry.event.event)
    entry.event.sent()
  }

  /** The turn that was spoken last needs no overlap. */
  #forgetRecent(): void {
    if (this.#recent !== undefined) this.#recent = new AudioLane.AudioLane(overlap)
  }

  #tellDropped(lostSeconds: number): void {
    const seconds = this.#lane.takeDroppedSeconds() + lostSeconds
    if (seconds > 0) this.#session.outbox.publish({ _tag: "InputAudioDropped", seconds })
  }
}
