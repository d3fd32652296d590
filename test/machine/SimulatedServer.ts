import type * as Scheduler from "../../src/machine/ResponseScheduler.js"

/** What travels to the server, in order. */
type ToServer =
  | { readonly _tag: "Item"; readonly itemId: string }
  | { readonly _tag: "Create"; readonly eventId: string; readonly outOfBand: boolean }
  | { readonly _tag: "Cancel"; readonly responseId: string }

/** A response as the server has it, and the items that its model saw. */
export interface Served {
  readonly responseId: string
  readonly eventId: string | undefined
  readonly outOfBand: boolean
  readonly saw: ReadonlySet<string>
  state: "active" | "completed" | "cancelled" | "failed"
}

/**
 * A realtime server as far as responses go, with both directions of the wire as queues, so that a test decides when
 * which side hears what: one active response on the default conversation, refusals of a second one, responses of its own
 * after a turn, and requests that it never answers.
 */
export const make = () => {
  const toServer: Array<ToServer> = []
  const toClient: Array<Scheduler.Input> = []
  const items = new Set<string>()
  const responses: Array<Served> = []
  let count = 0

  const active = () => responses.find((response) => response.state === "active" && !response.outOfBand)

  const begin = (eventId: string | undefined, outOfBand: boolean): void => {
    count += 1
    const responseId = `resp_${count}`
    responses.push({ responseId, eventId, outOfBand, saw: new Set(items), state: "active" })
    toClient.push({ _tag: "ResponseCreated", responseId, eventId, outOfBand })
  }

  const end = (response: Served, state: "completed" | "cancelled" | "failed"): void => {
    response.state = state
    toClient.push({ _tag: "ResponseDone", responseId: response.responseId, retryable: state === "failed" })
  }

  return {
    toServer,
    toClient,
    items,
    responses,
    active,
    /** The server takes the next event from the wire; `ignore` loses a request. */
    receive: (ignore = false): void => {
      const event = toServer.shift()
      switch (event?._tag) {
        case "Item":
          items.add(event.itemId)
          toClient.push({ _tag: "ItemAcknowledged", itemId: event.itemId })
          break
        case "Create":
          if (ignore) break
          if (!event.outOfBand && active() !== undefined) {
            toClient.push({ _tag: "Refused", eventId: event.eventId, collision: true })
          } else {
            begin(event.eventId, event.outOfBand)
          }
          break
        case "Cancel": {
          const response = responses.find(({ responseId }) => responseId === event.responseId)
          if (response?.state === "active") end(response, "cancelled")
          break
        }
      }
    },
    /** Voice activity detection begins a response by itself, unless one is active. */
    beginByItself: (): void => {
      if (active() === undefined) begin(undefined, false)
    },
    endResponse: (state: "completed" | "cancelled" | "failed", outOfBand = false): void => {
      const response = responses.find((response) => response.state === "active" && response.outOfBand === outOfBand)
      if (response !== undefined) end(response, state)
    }
  }
}
