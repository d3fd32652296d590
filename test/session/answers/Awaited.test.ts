import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import type { AudioChunk, SessionEvent } from "../../../src/SessionEvent.js"
import { Awaited, maxAudioBytes } from "../../../src/session/answers/Awaited.js"

const bytes = new Uint8Array(maxAudioBytes / 4)

const chunk = (responseId: string): AudioChunk => ({
  responseId,
  itemId: "item",
  contentIndex: 0,
  outOfBand: false,
  bytes
})

const ended = (responseId: string, status: string, why?: { reason?: string; message?: string }): SessionEvent => ({
  _tag: "ResponseDone",
  responseId,
  requestId: "r",
  outOfBand: false,
  metadata: undefined,
  status,
  reason: undefined,
  usage: undefined,
  ...why
})

describe("The audio of an answer", () => {
  it("has a bound, and what is beyond it is counted and streamed all the same", () => {
    const parts: Array<string> = []
    const awaited = new Awaited(
      { itemId: "q", requestId: "r", params: undefined },
      { part: ({ _tag }) => parts.push(_tag), done: () => undefined }
    )
    awaited.began("one", "r")
    for (let count = 0; count < 6; count += 1) awaited.played(chunk("one"))
    awaited.published(ended("one", "completed"))
    const outcome = awaited.outcome([], () => false)
    const answer = outcome && Either.getOrThrow(outcome)
    expect(answer?.audio).toHaveLength(4)
    expect(answer?.audioDropped).toBe(2)
    expect(parts).toHaveLength(6)
  })

  it("is discarded before another try", () => {
    const awaited = new Awaited(
      { itemId: "q", requestId: "r", params: undefined },
      { part: () => undefined, done: () => undefined }
    )
    awaited.began("one", "r")
    for (let count = 0; count < 5; count += 1) awaited.played(chunk("one"))
    awaited.published(ended("one", "failed"))
    awaited.began("two", "r")
    awaited.played(chunk("two"))
    awaited.published(ended("two", "completed"))
    const outcome = awaited.outcome([], () => false)
    const answer = outcome && Either.getOrThrow(outcome)
    expect(answer?.audio.map(({ responseId }) => responseId)).toEqual(["two"])
    expect(answer?.audioDropped).toBe(0)
  })
})

describe("An answer whose response fails for good", () => {
  const refusal = (why: { reason?: string; message?: string }) => {
    const awaited = new Awaited(
      { itemId: "q", requestId: "r", params: undefined },
      { part: () => undefined, done: () => undefined }
    )
    awaited.began("one", "r")
    awaited.published(ended("one", "failed", why))
    const outcome = awaited.outcome([], () => false)
    return outcome && Either.getOrThrow(Either.flip(outcome))
  }

  it("is refused with what the server says about it", () => {
    const error = refusal({ reason: "insufficient_quota", message: "You exceeded your current quota." })
    expect(error).toMatchObject({
      _tag: "AnswerRefused",
      code: "insufficient_quota",
      reason: "You exceeded your current quota."
    })
    expect(error?.message).toContain("(insufficient_quota): You exceeded your current quota.")
  })

  it("is refused in the library's own words if the server says nothing", () => {
    for (const why of [{}, { message: "" }]) {
      expect(refusal(why)).toMatchObject({ _tag: "AnswerRefused", reason: "The response failed." })
    }
  })
})
