/**
 * Gives the user's audio to a turn detector, piece by piece. While the detector works on a piece, the next ones wait.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { AudioPiece, TurnChange, TurnDetector } from "./TurnDetection.js"

/** The limit of audio that waits for the detector, in bytes: almost six minutes at 24 kHz. */
export const maxWaitingBytes = 16 * 1024 * 1024

/** The size of a piece besides its audio, in bytes. */
const OVERHEAD = 400

export interface DetectorQueueOptions {
  readonly detector: TurnDetector
  readonly fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>
  /** Called after each piece, with the changes in it. */
  readonly detected: (changes: ReadonlyArray<TurnChange>) => void
}

const sizeOf = (piece: AudioPiece): number => piece.audio.length + OVERHEAD

export class DetectorQueue {
  readonly #options: DetectorQueueOptions
  #waiting: Array<AudioPiece> = []
  #waitingBytes = 0
  /** The piece that the detector works on. */
  #current: AudioPiece | undefined
  #epoch = 0

  constructor(options: DetectorQueueOptions) {
    this.#options = options
  }

  /** The position up to which the detector has finished; `nowMs` if no piece waits. */
  positionMs(nowMs: number): number {
    return this.#current?.atMs ?? this.#waiting[0]?.atMs ?? nowMs
  }

  /** Beyond the limit, the oldest audio that waits is skipped. */
  push(piece: AudioPiece): void {
    this.#waiting.push(piece)
    this.#waitingBytes += sizeOf(piece)
    while (this.#waitingBytes > maxWaitingBytes && this.#waiting.length > 1) this.#next()
    this.#drain()
  }

  reset(floorMs: number): void {
    this.#epoch += 1
    this.#clear()
    this.#options.detector.reset(floorMs)
  }

  end(): void {
    this.#clear()
    this.#options.detector.end()
  }

  #clear(): void {
    this.#waiting = []
    this.#waitingBytes = 0
  }

  #next(): AudioPiece | undefined {
    const piece = this.#waiting.shift()
    if (piece !== undefined) this.#waitingBytes -= sizeOf(piece)
    return piece
  }

  #drain(): void {
    const { detected, detector } = this.#options
    while (this.#current === undefined) {
      const piece = this.#next()
      if (piece === undefined) return
      const changes = detector.detect(piece)
      if (Effect.isEffect(changes)) this.#wait(piece, changes)
      else detected(changes)
    }
  }

  #wait(piece: AudioPiece, changes: Effect.Effect<ReadonlyArray<TurnChange>>): void {
    const { fork } = this.#options
    const epoch = this.#epoch
    this.#current = piece
    fork(
      changes.pipe(
        // If the detector fails on a piece, it still gets the next ones.
        Effect.catchAllCause((cause) =>
          Effect.as(Effect.logWarning("The turn detector of the embedded server failed", cause), [])
        ),
        Effect.map((found) => this.#done(found, epoch))
      )
    )
  }

  #done(found: ReadonlyArray<TurnChange>, epoch: number): void {
    this.#current = undefined
    if (epoch === this.#epoch) this.#options.detected(found)
    this.#drain()
  }
}
