import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Mailbox from "effect/Mailbox"
import * as Redacted from "effect/Redacted"
import { run } from "../../src/command/run.js"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import { delta, endpoint } from "../chatMind/Endpoint.js"
import { answer } from "../chatMind/talk.js"
import { inText, userSays, wrap } from "../embedded/client.js"

/** Starts the command, and gives its first words. */
const serve = (environment: ReadonlyArray<readonly [string, string]>, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const printed = yield* Mailbox.make<string>()
    const console = yield* Console.consoleWith(Effect.succeed)
    const print = (text: unknown) => Effect.sync(() => void printed.unsafeOffer(String(text)))
    yield* run(["node", "cli.js", "serve", "--port", "0", ...args], { version: "1.2.3", page: "none" }).pipe(
      Effect.withConsole({ ...console, log: print, error: print }),
      Effect.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeTerminal.layer)),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(environment))),
      Effect.forkScoped
    )
    return yield* Effect.orDie(printed.take)
  })

describe("effect-realtime serve", () => {
  it.scopedLive("says that the router answers, and what it can't do", () =>
    Effect.gen(function* () {
      expect(yield* serve([])).toMatch(
        /^Listening on ws:\S+ \(Ctrl-C stops\)\nThe router answers: it picks tools, and cannot hold a conversation\. Connect a language model with --mind and --model\.$/
      )
    })
  )

  it.scopedLive.each<[name: string, environment: ReadonlyArray<readonly [string, string]>, header: string | undefined]>(
    [
      ["with the key of the environment", [["MIND_API_KEY", "sk-mind"]], "Bearer sk-mind"],
      ["without a key", [["OPENAI_API_KEY", "sk-openai"]], undefined],
      ["without a key where the variable is empty", [["MIND_API_KEY", " "]], undefined]
    ]
  )("says that a language model answers, which it asks %s", ([_, environment, header]) =>
    Effect.gen(function* () {
      const { next, url } = yield* endpoint
      const printed = yield* serve(environment, "--mind", `${url}?secret=1`, "--model", "qwen3:4b")
      expect(printed).toMatch(/^Listening on ws:\S+ \(Ctrl-C stops\)\n/)
      expect(printed).toContain(`\nqwen3:4b at ${url} answers. It reads transcripts, and does not hear the audio.`)
      const [address = ""] = /ws:\S+/.exec(printed) ?? []
      const model = yield* OpenAiRealtime.make({
        apiKey: Redacted.make("none"),
        authentication: "none",
        url: address,
        model: null
      })
      const client = wrap(yield* model.connect({}))
      expect(yield* client.until("session.created")).toMatchObject({ session: { model: "qwen3:4b" } })
      yield* client.send(inText)
      yield* client.send(userSays("Good day."))
      yield* client.send({ type: "response.create" })
      const exchange = yield* next
      expect(exchange.headers.authorization).toBe(header)
      expect(exchange.body.model).toBe("qwen3:4b")
      answer(exchange, delta({ content: "Hello." }, "stop"))
      expect((yield* client.until("response.done")).response.output).toMatchObject([{ content: [{ text: "Hello." }] }])
    })
  )
})
