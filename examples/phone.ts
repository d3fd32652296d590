/**
 * An agent that answers the phone: a number of Twilio's, with a fake caller who types digits, interrupts, and is told
 * goodbye. A stranger who opens a media stream is not let in. Runs offline, and takes as long as the call.
 */
import { createServer } from "node:http"
import { FetchHttpClient, HttpServer, Socket } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Console, Effect, Exit, Logger, LogLevel, Redacted } from "effect"
import { Agent, EmbeddedRealtime } from "effect-realtime"
import { FakeCaller, FakeTwilio, PhoneTools, TwilioPhone } from "effect-realtime/Telephony"
import WebSocket from "ws"
import "./shared/pipe.js"

const agent = Agent.make("Bank", {
  instructions: "Ask for the customer number, and read the terms.",
  tools: [PhoneTools.collectDigits(), PhoneTools.hangUp()]
})

const { call, say } = EmbeddedRealtime
const script = [
  [say("Welcome. Please type your number."), call("collect_digits")],
  [say("Thank you. Now I am going to read all of our terms to you. There are many of them, so please be patient.")],
  [call("hang_up")],
  [say("Goodbye.")]
]
const model = EmbeddedRealtime.layer({
  mind: EmbeddedRealtime.script(script),
  voice: EmbeddedRealtime.toneVoice({ msPerCharacter: 40 })
})

const authToken = Redacted.make("the auth token of the account")

/** A phone number on a free port. Twilio would call it by a public URL. */
const listen = Effect.gen(function* () {
  const { address } = yield* HttpServer.HttpServer
  const publicUrl = `http://127.0.0.1:${address._tag === "TcpAddress" ? address.port : 0}`
  const phone = yield* TwilioPhone.make({
    authToken,
    publicUrl,
    call: ({ from }) =>
      Effect.as(Console.log(`rings    ${from}`), {
        agent,
        options: {
          onPhoneEvent: (event) => console.log(`phone    ${Object.values(event).join(" ")}`),
          session: {
            onEvent: (event) => {
              if (event._tag === "TextCompleted") console.log(`agent    ${event.text}`)
              if (event._tag === "ToolSucceeded") console.log(`ran      ${event.call.tool} -> ${event.output}`)
              if (event._tag === "AudioInterrupted") console.log(`heard    only the first ${event.heardMs} ms`)
            }
          }
        }
      }),
    onRefused: (error) => console.log(`refused  ${error.message}`),
    onEnd: ({ from }, exit) =>
      Console.log(`over     ${from}: ${Exit.match(exit, { onFailure: String, onSuccess: ({ _tag }) => _tag })}`)
  })
  yield* TwilioPhone.serve(phone)
  return publicUrl
})

// The types of `ws` are not those of browsers.
const open = (url: string, headers: Record<string, string>) =>
  Socket.fromWebSocket(Effect.sync(() => new WebSocket(url, { headers }) as unknown as globalThis.WebSocket))

const until = (condition: Effect.Effect<boolean>) =>
  Effect.sleep("20 millis").pipe(Effect.repeat({ until: () => condition }))

const program = Effect.gen(function* () {
  const publicUrl = yield* listen
  const stranger = yield* FakeCaller.connect(yield* open(`${publicUrl.replace("http", "ws")}/media`, {}))
  yield* stranger.closed

  const { after, caller } = yield* FakeTwilio.dial({ voiceUrl: `${publicUrl}/voice`, authToken, open })
  const speaks = Effect.map(caller.waitingMs, (ms) => ms > 0)
  yield* until(speaks)
  yield* caller.quiet
  for (const digit of ["4", "2", "#"]) yield* caller.press(digit)
  yield* until(speaks)
  yield* Effect.sleep("1 second")
  yield* Console.log("caller   (interrupts)")
  yield* caller.say(new Uint8Array(600 * 8).fill(0x10))
  yield* Console.log(`twilio   is told ${/<Response>(.*)<\/Response>/.exec(yield* after)?.[1]}`)
})

await program.pipe(
  Effect.scoped,
  Effect.provide([
    model,
    FetchHttpClient.layer,
    NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 })
  ]),
  Logger.withMinimumLogLevel(LogLevel.None),
  Effect.runPromise
)
