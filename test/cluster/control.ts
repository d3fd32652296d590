/** How the driver talks with the processes that it started: questions as JSON over HTTP, on a port of their own. */
import { createServer, type IncomingMessage } from "node:http"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"

/** A process did not answer, or answered that it failed. */
export class NoAnswer extends Data.TaggedError("NoAnswer")<{ readonly message: string }> {}

/** What a process can be asked for: each takes and gives JSON. */
export type Questions = Readonly<Record<string, (args: never) => Effect.Effect<unknown, unknown>>>

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  let text = ""
  for await (const piece of request.setEncoding("utf8")) text += piece
  return text === "" ? {} : JSON.parse(text)
}

/** Answers `POST /NAME` until the scope closes. A failure is told with its tag and its message. */
export const serve = (port: number, questions: Questions): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const run = Runtime.runPromise(yield* Effect.runtime())
    const server = createServer((request, response) => {
      const question = questions[(request.url ?? "").slice(1)]
      const answer = (body: unknown, status = 200) =>
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body ?? null))
      if (question === undefined) return answer({ message: `Nobody here knows ${request.url}.` }, 404)
      bodyOf(request)
        // The border with JSON: both ends are in this directory.
        .then((args) => run(question(args as never)))
        .then(answer, (error: unknown) => answer({ message: String(error) }, 500))
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => {
        server.listen(port, "0.0.0.0", () => resume(Effect.void))
      }),
      () =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
  })

/** Asks a process, and gives what it answers as JSON. */
export const ask = <A>(
  url: string,
  name: string,
  args: unknown = {},
  timeoutMs = 120_000
): Effect.Effect<A, NoAnswer> =>
  Effect.tryPromise({
    try: async (signal) => {
      const body = JSON.stringify(args)
      const within = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      const response = await fetch(`${url}/${name}`, { method: "POST", body, signal: within })
      const answer: A & { readonly message?: string } = await response.json()
      if (!response.ok) throw new Error(answer.message)
      return answer
    },
    catch: (error) => new NoAnswer({ message: `${name}: ${error instanceof Error ? error.message : error}` })
  })
