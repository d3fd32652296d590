import * as Effect from "effect/Effect"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"
import type { ServerEvent } from "../../src/protocol/ServerEvent.js"
import type { Connection, RealtimeModel } from "../../src/RealtimeModel.js"

type Type = ServerEvent["type"]

/** A client without any logic: it sends what a test tells it to, and reads frame by frame. */
export interface Client {
  readonly send: (event: ClientEvent) => Effect.Effect<void>
  /** Sends JSON that the types forbid. */
  readonly sendRaw: (json: object) => Effect.Effect<void>
  /** The next event; it must be known to the codec. */
  readonly take: Effect.Effect<ServerEvent>
  /** Reads up to the next event of a type, and gives it. */
  readonly until: <T extends Type>(type: T) => Effect.Effect<Extract<ServerEvent, { readonly type: T }>>
  /** Reads up to the next event of a type, and gives the types on the way. */
  readonly typesUntil: (type: Type) => Effect.Effect<ReadonlyArray<string>>
  readonly connection: Connection
}

export const wrap = (connection: Connection): Client => {
  const send = (event: ClientEvent) => Effect.orDie(connection.send(event))
  const take = Effect.flatMap(Effect.orDie(connection.frames.take), (frame) =>
    frame._tag === "Known"
      ? Effect.succeed(frame.event)
      : Effect.dieMessage(`not a known event: ${JSON.stringify(frame)}`)
  )
  const eventsUntil = (type: string) =>
    Effect.gen(function* () {
      const seen: Array<ServerEvent> = []
      while (true) {
        const event = yield* take
        seen.push(event)
        if (event.type === type) return seen
      }
    })
  return {
    send,
    // JSON border: tests of refusals send events that the types forbid.
    sendRaw: (json) => send(json as ClientEvent),
    take,
    until: <T extends Type>(type: T) =>
      Effect.flatMap(eventsUntil(type), (seen) => {
        const found = seen.at(-1)
        return found?.type === type
          ? Effect.succeed(found as Extract<ServerEvent, { readonly type: T }>)
          : Effect.dieMessage(`no ${type}`)
      }),
    typesUntil: (type) => Effect.map(eventsUntil(type), (seen) => seen.map((event) => event.type)),
    connection
  }
}

/** Connects, and reads `session.created`. */
export const connect = (model: typeof RealtimeModel.Service, name?: string) =>
  Effect.gen(function* () {
    const client = wrap(yield* model.connect(name === undefined ? {} : { model: name }))
    yield* client.until("session.created")
    return client
  })

export const userSays = (text: string): ClientEvent => ({
  type: "conversation.item.create",
  item: { type: "message", role: "user", content: [{ type: "input_text", text }] }
})

export const inText: ClientEvent = {
  type: "session.update",
  session: { type: "realtime", output_modalities: ["text"] }
}
