/** `effect-realtime serve`: the options and the program. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as EmbeddedRealtime from "../EmbeddedRealtime.js"
import * as EmbeddedVoice from "../EmbeddedVoice.js"
import * as Log from "./log.js"
import { introduction, mind } from "./mind.js"
import { port } from "./port.js"
import { recognizer } from "./recognizer.js"

const DESCRIPTION =
  "Runs the embedded realtime server, which speaks the OpenAI Realtime protocol on this machine. It needs no network, " +
  "and has no language model: its router picks the tool whose name and description fit the sentence best, and says " +
  "what the tool gave back. English only. With --mind, a language model answers in its place. With --voice, it understands speech and speaks."

const options = {
  port: port(8_080),
  host: Options.text("host").pipe(
    Options.withDescription("Address to listen on (default: 127.0.0.1, this machine only)"),
    Options.withDefault("127.0.0.1")
  ),
  apiKey: Options.redacted("api-key").pipe(
    Options.withDescription("Key that clients must send (default: any key is accepted)"),
    Options.optional
  ),
  tls: Options.boolean("tls").pipe(
    Options.withDescription("Serve wss: with a self-signed certificate that is made at startup")
  ),
  certificate: Options.text("certificate").pipe(
    Options.withDescription(
      "File for the certificate of --tls, which clients must trust (default: effect-realtime.pem)"
    ),
    Options.withDefault("effect-realtime.pem")
  ),
  mind,
  voice: Options.boolean("voice").pipe(
    Options.withDescription(
      "Understand speech and speak, in English (default: tones). This needs packages, and without them it says which."
    )
  ),
  recognizer,
  quiet: Options.boolean("quiet").pipe(Options.withDescription("Print only the URL"))
}

/** A failure, with a message in terms of the command. */
class ServeFailed extends Data.TaggedError("ServeFailed")<{ readonly message: string }> {}

/** Loaded on demand: the library that makes certificates is larger than the rest of the command. */
const tlsFor = (host: string, file: string) =>
  Effect.gen(function* () {
    const { selfSigned } = yield* Effect.promise(() => import("./certificate.js"))
    const tls = yield* selfSigned(host)
    const fs = yield* FileSystem.FileSystem
    yield* Effect.mapError(fs.writeFileString(file, tls.cert), (error) => {
      const reason = error._tag === "SystemError" ? error.reason : error._tag
      return new ServeFailed({
        message: `Cannot write the certificate to ${file} (${reason}). Choose another file with --certificate.`
      })
    })
    return tls
  })

export const serve = Command.make(
  "serve",
  options,
  ({ port, host, apiKey, tls, certificate, mind, voice, recognizer, quiet }) =>
    Effect.gen(function* () {
      const colour = process.stdout.isTTY === true && (process.env["NO_COLOR"] ?? "") === ""
      const server = yield* EmbeddedRealtime.serve({
        port,
        host,
        ...(Option.isSome(apiKey) ? { apiKey: apiKey.value } : {}),
        ...(mind._tag === "Chat" ? { mind: mind.mind, model: mind.model } : {}),
        ...(tls ? { tls: yield* tlsFor(host, certificate) } : {}),
        ...(voice ? yield* EmbeddedVoice.make({ recognizer }) : {}),
        observe: (activity) => {
          const line = quiet ? undefined : Log.line(activity, { colour })
          if (line !== undefined && process.stdout.writable) process.stdout.write(`${line}\n`)
        }
      })
      yield* Console.log(quiet ? server.url : `Listening on ${server.url} (Ctrl-C stops)\n${introduction(mind)}`)
      if (voice && !quiet) yield* Console.log("It understands speech, and speaks.")
      if (tls && !quiet) yield* Console.log(`Clients must trust its certificate: NODE_EXTRA_CA_CERTS=${certificate}`)
      return yield* Effect.never
    }).pipe(
      Effect.scoped,
      Effect.catchTag(
        "PortTaken",
        () => new ServeFailed({ message: `Port ${port} is in use. Choose another with --port, or 0 for a free one.` })
      )
    )
).pipe(Command.withDescription(DESCRIPTION))
