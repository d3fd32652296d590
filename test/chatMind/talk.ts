import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as ChatMind from "../../src/ChatMind.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { connect, userSays } from "../embedded/client.js"
import { DONE, type Exchange, endpoint } from "./Endpoint.js"

export const inText = { output_modalities: ["text"] }

/** A client of an embedded server whose mind is behind an endpoint. */
export const start = (session: object = inText, options: Partial<ChatMind.Options> = {}) =>
  Effect.gen(function* () {
    const { next, url } = yield* endpoint
    const mind = yield* ChatMind.make({ url, model: "test", ...options })
    const server = yield* EmbeddedRealtime.make({ mind })
    const client = yield* connect(server.model)
    yield* client.sendRaw({ type: "session.update", session: { type: "realtime", ...session } })
    yield* client.until("session.updated")
    const asks = (text: string) =>
      Effect.zipRight(client.send(userSays(text)), Effect.zipRight(client.send({ type: "response.create" }), next))
    return {
      client,
      connection: yield* server.connection,
      next,
      /** The user says something; returns the resulting request. */
      asks,
      done: Effect.map(client.until("response.done"), ({ response }) => response)
    }
  }).pipe(Effect.provide(FetchHttpClient.layer))

/** Answers a request in one go. */
export const answer = ({ begin, chunk, end }: Exchange, ...chunks: ReadonlyArray<object>): void => {
  begin()
  for (const one of chunks) chunk(one)
  end(DONE)
}
