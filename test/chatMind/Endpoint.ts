/**
 * An OpenAI-compatible chat endpoint over HTTP, which answers what a test tells it to, when it tells it to.
 */
import * as Http from "node:http"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Mailbox from "effect/Mailbox"
import { listen } from "../openai/Loopback.js"

/** One request, and how it is answered. */
export interface Exchange {
  readonly path: string | undefined
  readonly headers: Http.IncomingHttpHeaders
  /** The body, parsed. */
  readonly body: Body
  /** Begins an answer, by default as a stream of events. */
  readonly begin: (status?: number, headers?: Http.OutgoingHttpHeaders) => void
  /** Sends text as it is. */
  readonly write: (text: string | Uint8Array) => void
  /** Sends a chunk as an event. */
  readonly chunk: (chunk: object) => void
  readonly end: (text?: string) => void
  /** Breaks the connection off, without a word. */
  readonly destroy: () => void
  /** Either side has closed the connection; says whether the answer was complete. */
  readonly closed: Effect.Effect<"ended" | "aborted">
}

export interface Body {
  readonly model: string
  readonly messages: ReadonlyArray<object>
  readonly tools?: ReadonlyArray<object>
  readonly tool_choice?: unknown
  readonly stream?: boolean
  readonly stream_options?: object
  readonly [field: string]: unknown
}

const exchangeOf = (request: Http.IncomingMessage, response: Http.ServerResponse, text: string): Exchange => {
  const closed = Deferred.unsafeMake<"ended" | "aborted">(FiberId.none)
  response.on("close", () => {
    Deferred.unsafeDone(closed, Effect.succeed(response.writableFinished ? "ended" : "aborted"))
  })
  const body: Body = JSON.parse(text)
  return {
    path: request.url,
    headers: request.headers,
    body,
    begin: (status = 200, headers = { "content-type": "text/event-stream; charset=utf-8" }) => {
      response.writeHead(status, headers)
      response.flushHeaders()
    },
    write: (piece) => void response.write(piece),
    chunk: (chunk) => void response.write(`data: ${JSON.stringify(chunk)}\n\n`),
    end: (piece = "") => void response.end(piece),
    destroy: () => void request.socket.destroy(),
    closed: Deferred.await(closed)
  }
}

/** Listens on a port of its own; `next` has each request. */
export const endpoint = Effect.gen(function* () {
  const requests = yield* Mailbox.make<Exchange>()
  const server = Http.createServer((request, response) => {
    let text = ""
    request.setEncoding("utf8")
    request.on("data", (piece: string) => {
      text += piece
    })
    request.on("end", () => requests.unsafeOffer(exchangeOf(request, response, text)))
  })
  const port = yield* listen(server)
  yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
  return { url: `http://127.0.0.1:${port}/v1`, next: Effect.orDie(requests.take) }
})

/** A chunk as OpenAI sends it. */
export const delta = (delta: object, finish_reason: string | null = null): object => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "test",
  choices: [{ index: 0, delta, logprobs: null, finish_reason }],
  usage: null
})

/** The last chunk, which counts the tokens. */
export const usage = (prompt_tokens: number, completion_tokens: number): object => ({
  object: "chat.completion.chunk",
  choices: [],
  usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
})

export const DONE = "data: [DONE]\n\n"
