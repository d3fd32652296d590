import { type ChildProcess, spawn } from "node:child_process"
import { createServer } from "node:net"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { WebSocket } from "ws"
import { line, parse } from "../src/embedded/commandLine.js"

const root = fileURLToPath(new URL("..", import.meta.url))

/** Runs the command from its source; the process dies with the scope. */
const command = (...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, ["--import", "tsx", `${root}src/cli.ts`, ...args], { cwd: root })),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const exit = (child: ChildProcess) =>
  Effect.async<{ readonly code: number | null; readonly out: string; readonly err: string }>((resume) => {
    let [out, err] = ["", ""]
    child.stdout?.on("data", (chunk) => {
      out += String(chunk)
    })
    child.stderr?.on("data", (chunk) => {
      err += String(chunk)
    })
    child.on("close", (code) => resume(Effect.succeed({ code, out, err })))
  })

const firstLine = (child: ChildProcess) =>
  Effect.async<string>((resume) => {
    child.stdout?.once("data", (chunk) => resume(Effect.succeed(String(chunk).trim())))
  })

describe("arguments", () => {
  it("are read in both spellings", () => {
    expect(parse(["serve"])).toEqual({ _tag: "Serve", port: 8_080, host: "127.0.0.1", apiKey: undefined, quiet: false })
    expect(parse(["serve", "--port=0", "--host", "::1", "--api-key", "k=1", "--quiet"])).toEqual({
      _tag: "Serve",
      port: 0,
      host: "::1",
      apiKey: "k=1",
      quiet: true
    })
    expect(parse([])._tag).toBe("Help")
    expect(parse(["serve", "--help"])._tag).toBe("Help")
  })

  it.each([
    [["dance"], 'Unknown command "dance".'],
    [["serve", "--prot", "1"], 'Unknown option "--prot".'],
    [["serve", "--port"], "The option --port needs a value."],
    [["serve", "--port", "http"], '"http" is no port: use a number from 0 to 65535.'],
    [["serve", "--port", "70000"], '"70000" is no port: use a number from 0 to 65535.']
  ])("%j are refused", (args, message) => {
    expect(parse(args)).toEqual({
      _tag: "Invalid",
      message: `${message} Run "effect-realtime --help" to see what there is.`
    })
  })
})

describe("the log", () => {
  const done = {
    _tag: "Sent",
    connection: 1,
    event: {
      type: "response.done",
      response: {
        status: "completed",
        output: [
          { type: "message", content: [{ type: "output_audio", transcript: "One moment." }] },
          { type: "function_call", name: "get_weather", arguments: '{"city":"Paris"}' }
        ]
      }
    }
  } as const

  it("shows what a client wrote on one line, and does not obey it", () => {
    const text = "\u001b[2J\r\n#9 connected\u202e"
    const item = { type: "message", content: [{ type: "input_text", text }] }
    const event = { type: "conversation.item.create", item }
    expect(line({ _tag: "Received", connection: 1, event }, { colour: false })).toBe(
      String.raw`#1 user: \u001b[2J\u000d\u000a#9 connected\u202e`
    )
    expect(line({ _tag: "Connected", connection: 1, model: text }, { colour: false })).not.toContain("\u001b")
  })

  it("is readable without colour, and has none unless asked", () => {
    expect(line(done, { colour: false })).toBe(
      '#1 response completed: says "One moment."; calls get_weather({"city":"Paris"})'
    )
    expect(line(done, { colour: true })).toContain("\u001b[32mcompleted\u001b[0m")
    // A frame is logged before it is refused: it may hold anything.
    const odd = { type: "conversation.item.create", item: { type: "function_call_output", output: { toString: 0 } } }
    expect(line({ _tag: "Received", connection: 1, event: odd }, { colour: false })).toBe('#1 output: {"toString":0}')
    expect(
      line({ ...done, event: { type: "response.done", response: { status: "failed", output: [] } } }, { colour: false })
    ).toBe("#1 response failed")
  })
})

describe("effect-realtime", () => {
  it.scopedLive("exits with 2 and one line for an option that it does not know", () =>
    Effect.gen(function* () {
      const outcome = yield* Effect.flatMap(command("serve", "--prot"), exit)
      expect(outcome).toEqual({
        code: 2,
        out: "",
        err: 'Unknown option "--prot". Run "effect-realtime --help" to see what there is.\n'
      })
    })
  )

  it.scopedLive("exits with 1 and one line when the port is taken", () =>
    Effect.gen(function* () {
      const port = yield* Effect.acquireRelease(
        Effect.async<{ readonly number: number; readonly close: () => void }>((resume) => {
          const server = createServer().listen(0, "127.0.0.1", () => {
            const address = server.address()
            const number = typeof address === "object" && address !== null ? address.port : 0
            resume(Effect.succeed({ number, close: () => server.close() }))
          })
        }),
        ({ close }) => Effect.sync(close)
      )
      const outcome = yield* Effect.flatMap(command("serve", "--port", String(port.number)), exit)
      expect(outcome).toEqual({
        code: 1,
        out: "",
        err: `Port ${port.number} is in use. Choose another with --port, or 0 for a free one.\n`
      })
    })
  )

  it.scopedLive("serves on when whoever reads its log leaves", () =>
    Effect.gen(function* () {
      const child = yield* command("serve", "--port", "0")
      const url = /ws:\/\/\S+/.exec(yield* firstLine(child))?.[0] ?? ""
      const ended = yield* Effect.fork(exit(child))
      child.stdout?.destroy()
      // Each connection is a line of the log, and each is told that there is a session.
      for (let n = 0; n < 3; n += 1) {
        yield* Effect.async<void, string>((resume) => {
          const socket = new WebSocket(url)
          socket.once("error", ({ message }) => resume(Effect.fail(message)))
          socket.once("message", () => {
            socket.terminate()
            resume(Effect.void)
          })
        })
      }
      child.kill("SIGINT")
      expect(yield* Fiber.join(ended)).toMatchObject({ code: 0, err: "" })
    })
  )

  it.scopedLive("serves until Ctrl-C, and then closes its connections", () =>
    Effect.gen(function* () {
      const child = yield* command("serve", "--port", "0")
      const url = /ws:\/\/\S+/.exec(yield* firstLine(child))?.[0] ?? ""
      const ended = yield* Effect.fork(exit(child))
      const code = yield* Effect.async<number>((resume) => {
        const socket = new WebSocket(url)
        socket.once("message", () => child.kill("SIGINT"))
        socket.on("close", (code) => resume(Effect.succeed(code)))
      })
      expect(code).toBe(1001)
      const { out, err } = yield* Fiber.join(ended)
      expect(out).toBe("#1 connected, model gpt-realtime\n#1 closed, code 1001\n")
      expect(err).toBe("")
    })
  )
})
