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
  /** `cancelled`: by the user, who broke in. `stopped`: by the client. */
  state: "active" | "silent" | "completed" | "cancelled" | "stopped" | "failed"
}

/**
 * A realtime server as far as responses go, with both directions of the wire as queues, so that a test decides when
 * which side hears what: one active response on the default conversation, refusals of a second one, turns of the user
 * that it answers by itself, or forgets to, requests that it never answers or refuses for the moment, and responses that
 * it never announces, that fail, or that fall silent.
 */
export const make = () => {
  const toServer: Array<ToServer> = []
  const toClient: Array<Scheduler.Input> = []
  const items = new Set<string>()
  const responses: Array<Served> = []
  let count = 0

  const active = () =>
    responses.find(({ outOfBand, state }) => (state === "active" || state === "silent") && !outOfBand)

  const begin = (eventId: string | undefined, outOfBand: boolean, isAnnounced: boolean): void => {
    count += 1
    const responseId = `resp_${count}`
    responses.push({ responseId, eventId, outOfBand, saw: new Set(items), state: "active" })
    toClient.push(
      isAnnounced
        ? { _tag: "ResponseCreated", responseId, eventId, outOfBand, presumed: false }
        : { _tag: "ResponseProgressed", responseId }
    )
  }

  const end = (response: Served, state: "completed" | "cancelled" | "stopped" | "failed"): void => {
    const failed = state === "failed" ? { after: undefined } : undefined
    response.state = state
    const { eventId, responseId } = response
    toClient.push({ _tag: "ResponseDone", responseId, whose: { eventId }, failed, carriedOn: false })
  }

  const cancel = (response: Served | undefined, state: "cancelled" | "stopped"): void => {
    if (response?.state === "active" || response?.state === "silent") end(response, state)
  }

  return {
    toServer,
    toClient,
    items,
    responses,
    active,
    /** The server takes the next event from the wire. Of a request: answers it, loses it, or refuses it for the moment. */
    receive: (request: "answer" | "ignore" | "refuse" = "answer", isAnnounced = true): void => {
      const event = toServer.shift()
      switch (event?._tag) {
        case "Item":
          items.add(event.itemId)
          toClient.push({ _tag: "ItemAcknowledged", itemId: event.itemId })
          break
        case "Create": {
          const { eventId, outOfBand } = event
          if (request === "ignore") break
          if (request === "refuse") {
            toClient.push({ _tag: "Refused", eventId, refusal: { _tag: "Passing", after: undefined } })
          } else if (!outOfBand && active() !== undefined) {
            toClient.push({ _tag: "Refused", eventId, refusal: { _tag: "Collision" } })
          } else {
            // The origin of an unannounced response beside the conversation could not be known.
            begin(eventId, outOfBand, isAnnounced || outOfBand)
          }
          break
        }
        case "Cancel":
          cancel(
            responses.find(({ responseId }) => responseId === event.responseId),
            "stopped"
          )
          break
      }
    },
    /** Another client asks, or an unknown one. */
    beginByItself: (isAnnounced = true): void => {
      if (active() === undefined) begin(undefined, false, isAnnounced)
    },
    /** The user breaks in, says something, and is answered, or is not. `itemId`: the user's words. */
    userSays: (itemId: string, requestId: string, isAnswered: boolean, isAnnounced = true): void => {
      toClient.push({ _tag: "SpeechStarted" })
      cancel(active(), "cancelled")
      items.add(itemId)
      toClient.push({ _tag: "SpeechStopped" }, { _tag: "TurnCommitted", id: requestId })
      if (isAnswered) begin(undefined, false, isAnnounced)
    },
    endResponse: (state: "completed" | "cancelled" | "failed", outOfBand = false): void => {
      const response = responses.find((response) => response.state === "active" && response.outOfBand === outOfBand)
      if (response !== undefined) end(response, state)
    },
    /** Nothing more is heard of the active response. */
    fallSilent: (): void => {
      const response = active()
      if (response !== undefined) response.state = "silent"
    }
  }
}
