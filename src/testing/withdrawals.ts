import { requestOf } from "../machine/ResponseScheduler.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { SessionEvent } from "../SessionEvent.js"
import { createdItem, isRecord, type Moment, type Scene } from "./Observation.js"

/** The responses in a program that answer words of the user that a guardrail stopped. */
export interface Withdrawals {
  readonly see: (moment: Moment, at: number) => void
  /** The session must have withdrawn this response. */
  readonly isWithdrawn: (responseId: string | undefined) => boolean
  /** The session may have withdrawn it. It knows the order of arrival better than the timeline does. */
  readonly mayBeWithdrawn: (responseId: string | undefined) => boolean
  /** The response that made a call, or produced an item. */
  readonly madeBy: (callOrItemId: string) => string | undefined
  /** When a response began, if it did. */
  readonly beganAt: (responseId: string) => number | undefined
  /** When the words began that a guardrail of this name stopped, or -1 if this is unknown. */
  readonly questionsOf: (guardrail: string) => ReadonlyArray<number>
}

/** These steps begin a turn, as soon as the session handles them. */
const beginTurn: ReadonlySet<string> = new Set(["UserWrites", "UserSpeaks", "SendsAudio", "SpeaksAloud"])

export const make = ({ program }: Pick<Scene, "program">): Withdrawals => {
  const turns = new Map<string, number>()
  const responses = new Map<string, { readonly at: number; readonly outOfBand: boolean }>()
  const makers = new Map<string, string>()
  /** When a request was first sent. */
  const requests = new Map<string, number>()
  const questions = new Map<string, Array<number>>()
  const withdrawn = new Set<string>()
  const possible = new Set<string>()
  /** Requests for answers that a guardrail stopped before these began. */
  const withdrawnRequests = new Set<string>()
  const possibleRequests = new Set<string>()
  /** The server may still owe an answer to words that a guardrail stopped. */
  let isServersPossible = false
  let lastStep = -1
  let lastTurn = -1

  const turnBegan = (itemId: unknown, at: number): void => {
    if (typeof itemId !== "string" || turns.has(itemId)) return
    turns.set(itemId, at)
    lastTurn = at
    isServersPossible = false
  }

  const sent = (event: ClientEvent, at: number): void => {
    const item = createdItem(event)
    if (item?.type === "message" && item.role === "user") turnBegan(item.id, at)
    if (event.type !== "response.create" || event.response?.conversation === "none") return
    const requestId = requestOf(event.event_id ?? "")
    if (!requests.has(requestId)) requests.set(requestId, at)
    // It had to wait when the guardrail tripped, and stands for the feedback too.
    withdrawnRequests.delete(requestId)
  }

  const answered = (event: { readonly [key: string]: unknown }): void => {
    const { item, response_id: responseId } = event
    if (!isRecord(item) || typeof item["id"] !== "string") return
    // A hosted tool call that needed approval is not part of a response, but the approval request was.
    const maker = typeof responseId === "string" ? responseId : makers.get(String(item["approval_request_id"]))
    if (maker !== undefined) makers.set(item["id"], maker)
  }

  const questionStopped = (guardrail: string, itemId: string): void => {
    const began = turns.get(itemId)
    questions.set(guardrail, [...(questions.get(guardrail) ?? []), began ?? -1])
    // The words may be from an older turn, so the session stops less.
    const isLatest = began !== undefined && began >= lastTurn && lastStep <= began
    for (const [responseId, { at, outOfBand }] of responses) {
      if (at <= (began ?? -1)) continue
      possible.add(responseId)
      if (isLatest && !outOfBand) withdrawn.add(responseId)
    }
    for (const [requestId, at] of requests) {
      possibleRequests.add(requestId)
      if (isLatest && at > began) withdrawnRequests.add(requestId)
    }
    isServersPossible = true
  }

  const started = (
    { outOfBand, requestId, responseId }: Extract<SessionEvent, { readonly _tag: "ResponseStarted" }>,
    at: number
  ): void => {
    if (responses.has(responseId)) return
    responses.set(responseId, { at, outOfBand })
    if (requestId === undefined ? isServersPossible : possibleRequests.has(requestId)) possible.add(responseId)
    if (requestId !== undefined && withdrawnRequests.has(requestId)) withdrawn.add(responseId)
  }

  const published = (event: SessionEvent, at: number): void => {
    switch (event._tag) {
      case "SpeechStarted":
        turnBegan(event.itemId, at)
        break
      case "ServerEventReceived":
        if (event.type === "input_audio_buffer.committed" && isRecord(event.event)) {
          turnBegan(event.event["item_id"], at)
        }
        break
      case "ToolStarted":
      case "ToolFailed": {
        const { callId, responseId } = event.call
        // A call that reuses the id of an earlier one fails, and the earlier one continues.
        if (responseId !== undefined && !makers.has(callId)) makers.set(callId, responseId)
        break
      }
      case "ResponseStarted":
        started(event, at)
        break
      case "GuardrailTripped":
        if (event.subject === "Input") questionStopped(event.guardrail, event.itemId ?? "")
        break
    }
  }

  return {
    see: (moment, at) => {
      if (moment._tag === "Step" && beginTurn.has(program.steps[moment.index]?.action._tag ?? "")) lastStep = at
      if (moment._tag === "Sent") sent(moment.event, at)
      if (moment._tag === "Answered") answered(moment.event)
      if (moment._tag === "Published") published(moment.event, at)
    },
    isWithdrawn: (responseId) => responseId !== undefined && withdrawn.has(responseId),
    mayBeWithdrawn: (responseId) => responseId !== undefined && possible.has(responseId),
    madeBy: (id) => makers.get(id),
    beganAt: (responseId) => responses.get(responseId)?.at,
    questionsOf: (guardrail) => questions.get(guardrail) ?? []
  }
}
