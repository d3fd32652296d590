import { describe, expect, it } from "@effect/vitest"
import { defaults } from "../../src/machine/ResponseScheduler.js"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"
import type { SessionEvent } from "../../src/SessionEvent.js"
import * as Responses from "../../src/session/Responses.js"

/** With what it sends and says recorded. As the session's calls do, the end of a response may ask for the next. */
const make = (onEnded: (responses: Responses.Responses) => void = () => undefined) => {
  const sent: Array<ClientEvent> = []
  const events: Array<SessionEvent<never>> = []
  const ended: Array<string> = []
  let count = 0
  const responses: Responses.Responses = Responses.make(
    { ...defaults, serverReplies: () => false },
    {
      now: () => 0,
      newId: (prefix) => {
        count += 1
        return `${prefix}_${count}`
      },
      send: (event) => sent.push(event),
      publish: (event) => events.push(event),
      spans: {
        responseStarted: () => undefined,
        responseEnded: () => undefined,
        callStarted: () => {
          throw new Error("No call is made here.")
        },
        end: () => undefined,
        close: () => undefined
      },
      began: () => undefined,
      cancelled: () => undefined,
      ended: (responseId) => {
        ended.push(responseId)
        onEnded(responses)
      }
    }
  )
  return { responses, sent, events, ended, types: () => sent.map(({ type }) => type) }
}

const response = (id: string, outOfBand = false) => ({
  id,
  metadata: null,
  conversation_id: outOfBand ? null : "conv"
})

describe("Liveness", () => {
  it("tells the calls of a response that it is over, also when its response.done has no id", () => {
    const { ended, events, responses, types } = make(({ ask }) => ask([]))
    responses.created(response("r1"))
    responses.done({ status: "completed" })
    expect(ended).toEqual(["r1"])
    expect(events.at(-1)).toMatchObject({ _tag: "ResponseDone", responseId: "r1" })
    expect(types()).toEqual(["response.create"])
  })

  it("does not let the calls of a response wait for its end that was never announced", () => {
    const { ended, responses } = make()
    responses.created(response("r1"))
    responses.progressed("r1")
    expect(ended).toEqual([])
    responses.progressed("never announced")
    expect(ended).toEqual(["never announced"])
  })

  it("makes one request of what waits and of what the end of the response adds", () => {
    const { responses, types } = make(({ ask }) => ask(["b"]))
    responses.created(response("r1"))
    responses.ask(["a"])
    responses.done({ id: "r1", status: "completed" })
    expect(types()).toEqual(["response.create"])
  })
})

describe("Cancellation", () => {
  it("stops a response beside the conversation, and leaves nothing to mend there", () => {
    const { responses, sent } = make()
    responses.created(response("beside", true))
    expect(responses.cancel("beside")).toBe(false)
    expect(sent).toMatchObject([{ type: "response.cancel", response_id: "beside" }])
  })

  it("says whether a response of the conversation was there to be stopped", () => {
    const { responses, types } = make()
    responses.created(response("r1"))
    expect([responses.cancel("r1"), responses.cancel("r2")]).toEqual([true, false])
    expect(types()).toEqual(["response.cancel"])
  })
})
