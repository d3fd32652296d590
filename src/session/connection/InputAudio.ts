import * as Effect from "effect/Effect"
import { encodeBase64 } from "../../audio/Base64.js"
import { asBytes, bytesPerSecond, split, validate } from "../../audio/Format.js"
import type { InvalidAudio } from "../../audio/InvalidAudio.js"
import * as AudioLane from "../../machine/AudioLane.js"
import * as InputStream from "../../machine/InputStream.js"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { AudioFormat } from "../../protocol/SessionConfig.js"
import type { Connection } from "../../RealtimeModel.js"
import { SessionClosed } from "../../SessionError.js"
import type { SessionEvent } from "../../SessionEvent.js"

/**
 * What the user says, on its way to the server: straight to the wire, past the loop, for it needs none of the loop's
 * order. While nothing can be sent it waits in a lane of its own, bounded in time.
 */
export interface InputAudio {
  /** All of it is checked before anything is sent, also that it is bytes. */
  readonly send: (bytes: unknown) => Effect.Effect<void, InvalidAudio | SessionClosed>
  /** `sent`: called when the turn's end is on its way behind its audio, or lost with it. */
  readonly commit: (sent: () => void) => void
  /** The server has made this item of what was committed, or of what its voice detection took. */
  readonly committed: (itemId: string) => void
  /** The server refused an event of ours. */
  readonly refused: (eventId: string) => void
  readonly clear: () => void
  /** What was meant for the connection that is gone is dropped; what is said from now on waits for the next. */
  readonly disconnected: () => void
  /** There is another connection: what waited goes there. */
  readonly connected: () => void
  /** The connection will be replaced in a quiet moment: the last second goes to both, for a word may begin in it. */
  readonly prepareMove: () => void
  /** The moment has come. */
  readonly moved: () => void
  /** By the server's voice detection, at this time of all audio that it was sent. */
  readonly turnBegan: (itemId: string, atMs: number) => void
  /** The turn that was spoken so far is over. */
  readonly turnEnded: (itemId: string, atMs: number) => void
  /** The server takes this stretch for a turn, in which nobody spoke. */
  readonly turnPassed: (itemId: string, fromMs: number, toMs: number) => void
  /** Nothing waits, and the user is not in the midst of a turn. */
  readonly isIdle: () => boolean
  readonly deadline: () => number | undefined
  readonly timePassed: () => void
}

export interface Environment {
  readonly now: () => number
  readonly newId: (prefix: string) => string
  readonly publish: (event: SessionEvent<never>) => void
  /** What audio can be sent on now, if anything. */
  readonly connection: () => Connection | undefined
  readonly isEnded: () => boolean
  readonly format: () => AudioFormat
  readonly detectsTurns: () => boolean
  /** Sends in the loop's own order. */
  readonly transmit: (event: ClientEvent) => void
  readonly run: (effect: Effect.Effect<unknown>) => void
  /** The loop is to set its alarm anew. */
  readonly wake: () => void
  /** How much may wait, in seconds. */
  readonly maxSeconds: number
  /** The network is behind when more bytes than these wait for it. */
  readonly maxBufferedBytes: number
  /** How much of what was sent is remembered until the server makes turns of it, in bytes. */
  readonly maxTurnBytes: number
  /** What the server made of what it was sent. */
  readonly heard: (itemId: string, turn: InputStream.Turn) => void
}

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

export const make = (env: Environment): InputAudio => {
  const lane = AudioLane.make<Piece>(env.maxSeconds)
  /** While a move is prepared: what was said last. */
  let recent: AudioLane.AudioLane<Piece> | undefined
  const stream = InputStream.make(env.maxTurnBytes)
  /** As the server's voice detection has it. */
  let isSpeaking = false
  let lookAgainAt: number | undefined
  let isDraining = false

  const canSend = (connection: Connection): boolean => connection.bufferedBytes() <= env.maxBufferedBytes

  /** What waits goes first. */
  const openLine = (): Connection | undefined => {
    const connection = env.connection()
    return connection !== undefined && lane.isEmpty() && !isDraining && canSend(connection) ? connection : undefined
  }

  const wait = (entry: Entry): void => {
    lane.add(entry)
    if (env.connection() === undefined || lookAgainAt !== undefined) return
    lookAgainAt = env.now() + interval
    env.wake()
  }

  /** Remembers what goes to the server in the order in which it goes. */
  const leaves = ({ _tag, event: { audio, event } }: Entry): void => {
    if (audio !== undefined) stream.sent(audio, env.now(), env.detectsTurns())
    if (_tag !== "Audio") stream.marked(_tag, event.event_id)
  }

  const say = (entry: Extract<Entry, { _tag: "Audio" }>): Effect.Effect<void, SessionClosed> =>
    Effect.suspend(() => {
      if (env.isEnded()) return new SessionClosed()
      recent?.add(entry)
      const connection = openLine()
      if (connection === undefined) {
        wait(entry)
        return Effect.void
      }
      leaves(entry)
      return Effect.catchAll(connection.send(entry.event.event), () =>
        Effect.sync(() => {
          if (entry.event.audio !== undefined) stream.takeBack(entry.event.audio)
          wait(entry)
        })
      )
    })

  /** Holds back who sends a whole file at once; a microphone can not be held back for long. */
  const holdBack: Effect.Effect<void> = Effect.suspend(() => {
    const connection = env.connection()
    if (connection === undefined || !lane.isEmpty() || canSend(connection)) return Effect.void
    return Effect.sleep(interval).pipe(
      Effect.repeat({
        // Besides the first.
        times: patience / interval - 1,
        until: () => env.connection() !== connection || canSend(connection)
      }),
      Effect.asVoid
    )
  })

  const drain: Effect.Effect<void> = Effect.gen(function* () {
    isDraining = true
    for (let line = env.connection(); line !== undefined && !lane.isEmpty() && canSend(line); line = env.connection()) {
      for (const entry of lane.takeAll()) {
        leaves(entry)
        yield* Effect.ignore(line.send(entry.event.event))
        entry.event.sent()
      }
    }
  }).pipe(
    Effect.ensuring(
      Effect.sync(() => {
        isDraining = false
        lookAgainAt = lane.isEmpty() || env.connection() === undefined ? undefined : env.now() + interval
      })
    )
  )

  /** Ends or drops the turn that was spoken so far, behind everything that was said before. */
  const mark = (entry: Exclude<Entry, { _tag: "Audio" }>): void => {
    if (recent !== undefined) recent = AudioLane.make(overlap)
    if (openLine() === undefined) {
      wait(entry)
      return
    }
    leaves(entry)
    env.transmit(entry.event.event)
    entry.event.sent()
  }

  const tellDropped = (lostSeconds: number): void => {
    const seconds = lane.takeDroppedSeconds() + lostSeconds
    if (seconds > 0) env.publish({ _tag: "InputAudioDropped", seconds })
  }

  return {
    send: (bytes) =>
      Effect.suspend(() => {
        const format = env.format()
        return Effect.flatMap(
          Effect.flatMap(asBytes(bytes), (all) => Effect.forEach(split(all), (chunk) => validate(format, chunk))),
          (chunks) =>
            Effect.forEach(
              chunks,
              (chunk) => {
                const seconds = chunk.length / bytesPerSecond(format)
                const audio = encodeBase64(chunk)
                const entry = {
                  _tag: "Audio",
                  event: {
                    event: { type: "input_audio_buffer.append", audio },
                    audio: { audio, bytes: chunk.length, ms: seconds * 1000, format },
                    sent: nothing
                  },
                  seconds
                } as const
                return Effect.zipRight(holdBack, say(entry))
              },
              { discard: true }
            )
        )
      }),
    commit: (sent) =>
      mark({
        _tag: "Commit",
        event: { event: { type: "input_audio_buffer.commit", event_id: env.newId("cmt") }, audio: undefined, sent }
      }),
    committed: (itemId) => env.heard(itemId, stream.committed(itemId)),
    refused: stream.refused,
    clear: () =>
      mark({
        _tag: "Clear",
        event: {
          event: { type: "input_audio_buffer.clear", event_id: env.newId("clr") },
          audio: undefined,
          sent: nothing
        }
      }),
    disconnected: () => {
      for (const { event } of lane.discard()) event.sent()
      // Of what the server's voice detection had taken already, it is not known here whether it was lost.
      tellDropped(env.detectsTurns() ? 0 : stream.unansweredMs() / 1000)
      stream.reset()
      isSpeaking = false
      lookAgainAt = undefined
    },
    connected: () => {
      tellDropped(0)
      env.run(drain)
    },
    prepareMove: () => {
      recent = env.detectsTurns() ? AudioLane.make(overlap) : undefined
    },
    moved: () => {
      for (const entry of recent?.takeAll() ?? []) lane.add(entry)
      recent = undefined
    },
    turnBegan: (itemId, atMs) => {
      isSpeaking = true
      stream.speechBegan(itemId, atMs)
    },
    turnPassed: (itemId, fromMs, toMs) => {
      stream.speechBegan(itemId, fromMs)
      stream.speechEnded(itemId, toMs)
    },
    turnEnded: (itemId, atMs) => {
      isSpeaking = false
      stream.speechEnded(itemId, atMs)
      if (recent !== undefined) recent = AudioLane.make(overlap)
    },
    isIdle: () => lane.isEmpty() && !isDraining && (env.detectsTurns() ? !isSpeaking : stream.uncommittedMs() === 0),
    deadline: () => lookAgainAt,
    timePassed: () => {
      if (lookAgainAt === undefined || lookAgainAt > env.now()) return
      tellDropped(0)
      env.run(drain)
    }
  }
}

const nothing = (): void => undefined
