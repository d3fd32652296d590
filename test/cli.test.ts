import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import { WebSocket } from "ws"
import * as Audio from "../src/Audio.js"

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

describe("effect-realtime", () => {
  it.scopedLive("exits with 2 for an option that it does not know, and says where to look", () =>
    Effect.gen(function* () {
      const outcome = yield* Effect.flatMap(command("serve", "--prot"), exit)
      expect(outcome).toEqual({
        code: 2,
        out: "",
        err: "Received unknown argument: '--prot'\nRun `effect-realtime serve --help` to see the options.\n"
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

  it.scopedLive("goes on serving when the reader of its log exits", () =>
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

  it.scopedLive("with --voice, understands a spoken question", () =>
    Effect.gen(function* () {
      const wav = readFileSync(join(root, "examples/questions/time-in-paris.wav"))
      const { sampleRate, samples } = Either.getOrThrow(Audio.Wav.decode(wav))
      const question = Audio.resample(samples, Either.getOrThrow(Audio.toSampleRate(sampleRate)), 24_000)
      const audio = Buffer.concat([Audio.encodePcm16(question), Audio.silence(Audio.pcm16, 1_000)])
      const child = yield* command("serve", "--port", "0", "--voice", "--recognizer", "tiny")
      const url = /ws:\/\/\S+/.exec(yield* firstLine(child))?.[0] ?? ""
      const transcript = yield* Effect.async<string, string>((resume) => {
        const socket = new WebSocket(url)
        const transcription = { model: "gpt-4o-transcribe" }
        const session = { type: "realtime", audio: { input: { transcription } } }
        socket.once("open", () => {
          socket.send(JSON.stringify({ type: "session.update", session }))
          socket.send(JSON.stringify({ type: "input_audio_buffer.append", audio: audio.toString("base64") }))
        })
        socket.once("error", ({ message }) => resume(Effect.fail(message)))
        socket.on("message", (frame) => {
          const event = JSON.parse(String(frame))
          if (event.type === "error") resume(Effect.fail(event.error.message))
          if (event.type !== "conversation.item.input_audio_transcription.completed") return
          socket.terminate()
          resume(Effect.succeed(event.transcript))
        })
      })
      expect(transcript).toBe("What time is it in Paris?")
    })
  )

  it.scopedLive("with --tls, serves the official client as the guide shows", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-realtime-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const certificate = join(folder, "effect-realtime.pem")
      const child = yield* command("serve", "--port", "0", "--tls", "--certificate", certificate)
      const port = /wss:\/\/127\.0\.0\.1:(\d+)/.exec(yield* firstLine(child))?.[1] ?? ""

      const guide = readFileSync(join(root, "docs/embedded-server.md"), "utf8")
      const [, code = ""] = /```ts\n([^`]*openai\/realtime\/ws[^`]*)```/.exec(guide) ?? []
      expect(code).toContain(":8080/v1")
      const client = (environment: NodeJS.ProcessEnv) =>
        Effect.flatMap(
          Effect.sync(() =>
            spawn(process.execPath, ["--input-type=module", "-e", code.replace(":8080", `:${port}`)], {
              cwd: root,
              env: { ...process.env, ...environment }
            })
          ),
          exit
        )
      const trusting = yield* client({ NODE_EXTRA_CA_CERTS: certificate })
      expect(trusting).toEqual({ code: 0, out: expect.stringMatching(/\w+/), err: "" })
      expect((yield* client({})).err).toContain("self-signed certificate")
    })
  )
})
