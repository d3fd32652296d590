import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Mailbox from "effect/Mailbox"
import { WebSocket } from "ws"
import { run } from "../../src/command/run.js"

/** Runs the command in this process, and collects its output line by line. */
const commandOf = (page: string, args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const printed = yield* Mailbox.make<string>()
    const console = yield* Console.consoleWith(Effect.succeed)
    const print = (text: unknown) => Effect.sync(() => void printed.unsafeOffer(String(text)))
    const fiber = yield* run(["node", "cli.js", ...args], { version: "1.2.3", page }).pipe(
      Effect.withConsole({ ...console, log: print, error: print }),
      Effect.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeTerminal.layer)),
      Effect.ensuring(printed.end),
      Effect.forkScoped
    )
    return {
      code: Fiber.join(fiber),
      take: Effect.orDie(printed.take),
      all: Effect.map(printed.takeAll, ([lines]) => Chunk.toReadonlyArray(lines))
    }
  })

const command = (...args: ReadonlyArray<string>) => commandOf("none", args)

const outcomeOf = (page: string, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { code, all } = yield* commandOf(page, args)
    return { code: yield* code, printed: (yield* all).join("\n") }
  })

const outcome = (...args: ReadonlyArray<string>) => outcomeOf("none", ...args)

describe("effect-realtime", () => {
  it.scopedLive.each([
    [["console", "--port", "70000"], "The port should be a number from 0 to 65535."],
    [["serve", "--prot", "1"], "Received unknown argument: '--prot'"],
    [["serve", "--port", "http"], "'http' is not a integer"],
    [["serve", "--port", "70000"], "The port should be a number from 0 to 65535."],
    [["serve", "--port=-1"], "The port should be a number from 0 to 65535."],
    [["serve", "--mind", "http://127.0.0.1:11434/v1"], "Name the endpoint's model with --model."],
    [["serve", "--model", "qwen3:4b"], "Give the URL of the model's endpoint with --mind."],
    [
      ["serve", "--mind", "localhost", "--model", "m"],
      "--mind should be a URL such as http://127.0.0.1:11434/v1, but is not a URL."
    ]
  ] as const)("refuses %j, and says where to look", ([args, message]) =>
    Effect.gen(function* () {
      const printed = `${message}\nRun \`effect-realtime ${args[0]} --help\` to see the options.`
      expect(yield* outcome(...args)).toEqual({ code: 2, printed })
    })
  )

  it.scopedLive("refuses a command that it does not know, and names those that it does", () =>
    Effect.gen(function* () {
      expect(yield* outcome("dance")).toEqual({
        code: 2,
        printed:
          "Invalid subcommand for effect-realtime - use one of 'serve', 'console'\nRun `effect-realtime --help` to see the options."
      })
    })
  )

  it.scopedLive.each([
    ["./no-agent.ts", "./no-agent.ts cannot be loaded: "],
    ["test/child.ts", "test/child.ts has no agent. Export the agent as `agent` or as the default"]
  ] as const)("opens no console for %s, and says why", ([file, message]) =>
    Effect.gen(function* () {
      const page = mkdtempSync(join(tmpdir(), "effect-realtime-page-"))
      writeFileSync(join(page, "index.html"), "")
      const { code, printed } = yield* outcomeOf(page, "console", "--port", "0", file)
      rmSync(page, { recursive: true })
      expect(code).toBe(1)
      expect(printed.startsWith(message)).toBe(true)
    })
  )

  it.scopedLive("opens no console without its page, and says how to build it", () =>
    Effect.gen(function* () {
      expect(yield* outcome("console", "--port", "0")).toEqual({
        code: 1,
        printed: "There is no page in none. Build it with `npm run build:console`."
      })
    })
  )

  it.scopedLive.each<[ReadonlyArray<string>]>([
    [[]],
    [["--help"]],
    [["serve", "--help"]],
    [["serve", "-h"]],
    [["serve", "--port", "8081", "--help"]],
    [["serve", "--quiet", "--host=127.0.0.1", "-h"]],
    [["serve", "--port", "--help"]],
    [["serve", "--prot", "8081", "--help"]]
  ])("explains itself: %j", ([args]) =>
    Effect.gen(function* () {
      const { code, printed } = yield* outcome(...args)
      expect(code).toBe(0)
      for (const option of [
        "--port",
        "--host",
        "--api-key",
        "--tls",
        "--certificate",
        "--mind",
        "--model",
        "--quiet",
        "--version"
      ]) {
        expect(printed).toContain(option)
      }
      // No terminal reads this.
      expect(printed).not.toContain("\u001b")
    })
  )

  it.scopedLive("knows its version, and completes its options in a shell", () =>
    Effect.gen(function* () {
      expect(yield* outcome("--version")).toEqual({ code: 0, printed: "1.2.3" })
      expect(yield* outcome("serve", "--port", "8081", "--version")).toEqual({ code: 0, printed: "1.2.3" })
      expect(yield* outcome("serve", "--quiet", "--completions", "bash")).toEqual(
        yield* outcome("--completions", "bash")
      )
      for (const shell of ["bash", "zsh", "fish"]) {
        const { code, printed } = yield* outcome("--completions", shell)
        expect(code).toBe(0)
        expect(printed).toContain("api-key")
      }
    })
  )

  it.scopedLive("serves with both spellings of an option, and asks clients for the key", () =>
    Effect.gen(function* () {
      const { take } = yield* command("serve", "--port=0", "--host", "127.0.0.1", "--api-key", "k=1", "--quiet")
      const url = yield* take
      const status = (key: string) =>
        Effect.async<number | undefined>((resume) => {
          const socket = new WebSocket(url, { headers: { authorization: `Bearer ${key}` } })
          socket.once("unexpected-response", (_, { statusCode }) => resume(Effect.succeed(statusCode)))
          socket.once("message", () => {
            socket.terminate()
            resume(Effect.succeed(101))
          })
        })
      expect(yield* status("k=1")).toBe(101)
      expect(yield* status("k")).toBe(401)
    })
  )

  it.scopedLive("says where its certificate cannot be written", () =>
    Effect.gen(function* () {
      expect(yield* outcome("serve", "--port", "0", "--tls", "--certificate", "/nowhere/at.pem")).toEqual({
        code: 1,
        printed: "Cannot write the certificate to /nowhere/at.pem (NotFound). Choose another file with --certificate."
      })
    })
  )
})
