import { createServer } from "node:http"
import { inspect } from "node:util"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Socket from "@effect/platform/Socket"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import twilio from "twilio"
import WebSocket from "ws"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { ConnectFailed, RealtimeModel } from "../../src/RealtimeModel.js"
import {
  FakeCaller,
  FakeTwilio,
  type PhoneCall,
  PhoneTools,
  type Recording,
  TwilioPhone,
  TwilioSignature
} from "../../src/Telephony.js"
import * as Tool from "../../src/Tool.js"
import { endlessBody } from "../endlessBody.js"
import { plainAgent } from "./harness.js"

const authToken = Redacted.make("the-account's-token")

const httpServer = NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" })

/** A server on a port of its own, that an agent answers, with a model that says one thing. */
const serving = <E = never>(
  more: Partial<TwilioPhone.Options<E, PhoneCall.Current>> = {},
  mind: EmbeddedRealtime.Mind = EmbeddedRealtime.fromFunction(() => [EmbeddedRealtime.say("Hello.")]),
  model: Layer.Layer<RealtimeModel> = EmbeddedRealtime.layer({
    mind,
    voice: EmbeddedRealtime.silentVoice("20 millis")
  })
) =>
  Effect.gen(function* () {
    // It outlives the phone and its callers, as the server of a layer does: it waits for its sockets.
    const { context } = yield* Effect.acquireRelease(
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        return { scope, context: yield* Layer.buildWithScope(httpServer, scope) }
      }),
      ({ scope }) => Scope.close(scope, Exit.void)
    )
    const server = Context.get(context, HttpServer.HttpServer)
    const { address } = server
    const publicUrl = `http://127.0.0.1:${address._tag === "TcpAddress" ? address.port : 0}`
    const refusals: Array<TwilioPhone.Refusal> = []
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope, exit) => Scope.close(scope, exit))
    const phone = yield* TwilioPhone.make({
      authToken,
      publicUrl,
      call: () => Effect.succeed({ agent: plainAgent }),
      onRefused: (error) => {
        refusals.push(error)
      },
      drainWithin: 0,
      ...more
    }).pipe(Scope.extend(scope), Effect.provide(model))
    yield* Effect.provideService(HttpServer.serveEffect(phone.app), HttpServer.HttpServer, server)
    return { phone, publicUrl, refusals, close: Scope.close(scope, Exit.void) }
  })

const serve = (...given: Parameters<typeof serving>) => Logger.withMinimumLogLevel(serving(...given), LogLevel.None)

const open = (url: string, headers: Record<string, string>) =>
  // The types of `ws` are not those of the DOM.
  Socket.fromWebSocket(Effect.sync(() => new WebSocket(url, { headers }) as unknown as globalThis.WebSocket))

const dial = (publicUrl: string, more: Partial<FakeTwilio.Options> = {}) =>
  Effect.provide(FakeTwilio.dial({ voiceUrl: `${publicUrl}/voice`, authToken, open, ...more }), FetchHttpClient.layer)

const signed = (url: string) =>
  Effect.map(TwilioSignature.sign(authToken, { url }), (signature) => ({ "x-twilio-signature": signature }))

/** A stream that begins without a webhook. */
const stray = (publicUrl: string, options: FakeCaller.Options) =>
  Effect.gen(function* () {
    const url = `${publicUrl.replace("http", "ws")}/media`
    return yield* FakeCaller.connect(yield* open(url, yield* signed(url)), options)
  })

const reasons = (refusals: ReadonlyArray<TwilioPhone.Refusal>) =>
  refusals.map((error) => (error._tag === "StreamNotTrusted" ? error.reason : error._tag))

describe("A number of Twilio's", () => {
  it.scopedLive("is answered by an agent, whom the caller hears", () =>
    Effect.gen(function* () {
      const { publicUrl, refusals, phone } = yield* serve()
      const { after, caller } = yield* dial(publicUrl)
      yield* Effect.sleep("20 millis").pipe(
        Effect.repeat({ until: () => Effect.map(caller.commands, (all) => all.some(({ _tag }) => _tag === "Mark")) })
      )
      yield* caller.quiet
      expect(yield* caller.problems).toEqual([])
      expect(yield* phone.streams).toBe(1)
      yield* caller.hangUp
      expect(yield* after).toContain("<Hangup/>")
      expect(refusals).toEqual([])
    })
  )

  it.scopedLive("connects the call with the TwiML that Twilio's library writes", () =>
    Effect.gen(function* () {
      const { publicUrl } = yield* serve()
      const { twiml } = yield* dial(publicUrl)
      const response = new twilio.twiml.VoiceResponse()
      const stream = response
        .connect({ action: `${publicUrl}/after` })
        .stream({ url: `${publicUrl.replace("http", "ws")}/media` })
      const token = /value="([^"]*)"/.exec(twiml)?.[1] ?? ""
      expect(token.length).toBe(22)
      stream.parameter({ name: "token", value: token })
      expect(twiml).toBe(response.toString())
    })
  )

  it.scopedLive("rejects a call that nobody wants, and is busy beyond its limit", () =>
    Effect.gen(function* () {
      const { publicUrl } = yield* serve({
        call: ({ from }) =>
          from === "anonymous" ? new TwilioPhone.CallRejected() : Effect.succeed({ agent: plainAgent }),
        maxCalls: 1
      })
      expect(yield* Effect.flip(dial(publicUrl, { from: "anonymous" }))).toMatchObject({
        status: 200,
        body: expect.stringContaining('<Reject reason="rejected"/>')
      })
      const { caller } = yield* dial(publicUrl)
      yield* Effect.sleep("20 millis").pipe(
        Effect.repeat({ until: () => Effect.map(caller.commands, (all) => all.length > 0) })
      )
      expect(yield* Effect.flip(dial(publicUrl, { callId: "CA2" }))).toMatchObject({
        body: expect.stringContaining('<Reject reason="busy"/>')
      })
    })
  )

  it.scopedLive("is busy for callers beyond its limit who ring together, and cuts nobody off", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const answer = yield* Deferred.make<void>()
      const { publicUrl } = yield* serve({
        maxCalls: 1,
        call: () =>
          Deferred.succeed(asked, undefined).pipe(
            Effect.zipRight(Deferred.await(answer)),
            Effect.as({ agent: plainAgent })
          )
      })
      const busy = { body: expect.stringContaining('<Reject reason="busy"/>') }
      const first = yield* Effect.fork(dial(publicUrl, { open: () => open("ws://127.0.0.1:9", {}) }))
      yield* Deferred.await(asked)
      expect(yield* Effect.flip(dial(publicUrl, { callId: "CA2" }))).toMatchObject(busy)
      yield* Deferred.succeed(answer, undefined)
      const { twiml } = yield* Fiber.join(first)
      // Its stream has not begun.
      expect(yield* Effect.flip(dial(publicUrl, { callId: "CA2" }))).toMatchObject(busy)
      const token = /value="([^"]*)"/.exec(twiml)?.[1] ?? ""
      const caller = yield* stray(publicUrl, { callId: "CA1", parameters: { token } })
      yield* Effect.sleep("20 millis").pipe(
        Effect.repeat({ until: () => Effect.map(caller.commands, (all) => all.length > 0) })
      )
    })
  )

  it.scopedLive("has a place for the next caller when one was not answered", () =>
    Effect.gen(function* () {
      const { publicUrl } = yield* serve({
        call: ({ callId }) =>
          callId === "CA1"
            ? new TwilioPhone.CallRejected({ reason: "rejected" })
            : callId === "CA2"
              ? undecided
              : Effect.succeed({ agent: plainAgent }),
        maxCalls: 1
      })
      yield* Effect.flip(dial(publicUrl, { callId: "CA1" }))
      yield* Effect.flip(dial(publicUrl, { callId: "CA2" }))
      yield* dial(publicUrl, { callId: "CA3" })
    })
  )

  const undecided = Effect.dieMessage("SECRET")
  it.scopedLive("is busy, and says why, if the application dies when it chooses the agent", () =>
    Effect.gen(function* () {
      const logs: Array<string> = []
      const logger = Logger.make(({ annotations, cause, message }) => {
        logs.push(`${String(message)} ${Cause.pretty(cause)} ${String(Array.from(annotations))}`)
      })
      const { publicUrl, refusals } = yield* Effect.provide(
        serving({ call: ({ callId }) => (callId === "CA1" ? undecided : Effect.succeed({ agent: plainAgent })) }),
        Logger.replace(Logger.defaultLogger, logger)
      )
      expect(yield* Effect.flip(dial(publicUrl))).toMatchObject({
        status: 200,
        body: expect.stringContaining('<Reject reason="busy"/>')
      })
      yield* dial(publicUrl, { callId: "CA2" })
      expect(logs.filter((line) => line.includes("because the option `call` died"))).toEqual([
        expect.stringContaining("CA1")
      ])
      expect(logs.join()).not.toContain("SECRET")
      // The log says where to look: `onRefused` gets what it died with, and an error that is printed does not show it.
      expect(logs.join()).toContain("`onRefused` gets it")
      expect(refusals).toMatchObject([{ _tag: "CallUndecided", callId: "CA1", how: "Died" }])
      const [refusal] = refusals
      const { reason } = refusal?._tag === "CallUndecided" ? refusal : { reason: undefined }
      expect(reason === undefined ? undefined : Redacted.value(reason)).toMatchObject({ message: "SECRET" })
      expect(inspect(refusals) + JSON.stringify(refusals)).not.toContain("SECRET")
    })
  )

  const unusable: ReadonlyArray<
    readonly [name: string, given: Partial<TwilioPhone.Options<never, never>>, of: string]
  > = [
    ["an empty auth token", { authToken: Redacted.make("") }, "authToken"],
    ["a blank auth token", { authToken: Redacted.make(" \n") }, "authToken"],
    ["an empty URL", { publicUrl: "" }, "publicUrl"],
    ["a URL without a scheme", { publicUrl: "phone.example.com" }, "publicUrl"],
    ["a URL that is not of HTTP", { publicUrl: "ftp://user:SECRET@phone.example.com" }, "publicUrl"]
  ]
  it.scoped.each(unusable)("does not start with %s, and says what to give", ([, given, option]) =>
    Effect.gen(function* () {
      const error = yield* TwilioPhone.make({
        authToken,
        publicUrl: "https://phone.example.com",
        call: () => Effect.succeed({ agent: plainAgent }),
        ...given
      }).pipe(Effect.flip, Effect.provide(EmbeddedRealtime.layer()))
      expect(error).toMatchObject({ of: "TwilioPhone.make", problems: [{ option }] })
      expect(error.message).toContain(`\`${option}\` should be`)
      expect(error.message).not.toContain("SECRET")
    })
  )

  it.scopedLive("refuses every request, and says so, once its auth token was wiped", () =>
    Effect.gen(function* () {
      const wiped = Redacted.make("the-account's-token")
      const { publicUrl, refusals } = yield* serve({ authToken: wiped })
      Redacted.unsafeWipe(wiped)
      expect(yield* Effect.flip(dial(publicUrl))).toMatchObject({ status: 403 })
      expect(reasons(refusals)).toEqual(["Signature"])
    })
  )

  it.scopedLive("refuses strangers also if the application throws when it hears of them", () =>
    Effect.gen(function* () {
      const onRefused = () => {
        throw new Error("SECRET")
      }
      const { publicUrl } = yield* serve({ onRefused })
      const error = yield* Effect.flip(dial(publicUrl, { authToken: Redacted.make("guess") }))
      expect(error).toMatchObject({ status: 403 })
      yield* dial(publicUrl)
    })
  )

  it.scopedLive("lets nobody in who is not signed by Twilio", () =>
    Effect.gen(function* () {
      const { publicUrl, refusals } = yield* serve()
      const error = yield* Effect.flip(dial(publicUrl, { authToken: Redacted.make("guess") }))
      expect(error).toMatchObject({ _tag: "NotConnected", status: 403 })
      const url = `${publicUrl.replace("http", "ws")}/media`
      const caller = yield* FakeCaller.connect(yield* open(url, {}))
      yield* caller.closed
      const client = yield* Effect.provide(HttpClient.HttpClient, FetchHttpClient.layer)
      const { status } = yield* client.post(`${publicUrl}/after`)
      expect(status).toBe(403)
      expect(reasons(refusals)).toEqual(["Signature", "Signature", "Signature"])
    })
  )

  it.scopedLive("opens a stream once, only with the token of its call, and disturbs no other call", () =>
    Effect.gen(function* () {
      const { publicUrl, refusals, phone } = yield* serve()
      const { caller, twiml } = yield* dial(publicUrl)
      const token = /value="([^"]*)"/.exec(twiml)?.[1] ?? ""
      yield* Effect.sleep("20 millis").pipe(
        Effect.repeat({ until: () => Effect.map(caller.commands, (all) => all.length > 0) })
      )
      const refused = (options: FakeCaller.Options) =>
        Effect.flatMap(stray(publicUrl, options), ({ closed }) => Effect.map(closed, ({ code }) => code))
      expect(yield* refused({ callId: "CA1", parameters: { token } })).toBe(1_008)
      expect(yield* refused({ callId: "CA2", parameters: { token } })).toBe(1_008)
      expect(yield* refused({ callId: "CA1" })).toBe(1_008)
      // The webhook is sent again.
      expect((yield* Effect.flatMap(dial(publicUrl), (second) => second.caller.closed)).code).toBe(1_008)
      expect(reasons(refusals)).toEqual(["UnknownToken", "UnknownToken", "NoToken", "SecondStream"])
      const waiting = yield* dial(publicUrl, { callId: "CA3", open: () => open("ws://127.0.0.1:9", {}) })
      const foreign = /value="([^"]*)"/.exec(waiting.twiml)?.[1] ?? ""
      expect(yield* refused({ callId: "CA4", parameters: { token: foreign } })).toBe(1_008)
      expect(reasons(refusals).at(-1)).toBe("OtherCall")
      yield* caller.say(new Uint8Array(160))
      expect(yield* phone.streams).toBe(1)
    })
  )

  const openings: ReadonlyArray<readonly [name: string, data: string | Uint8Array, breach: string]> = [
    ["audio", '{"event":"media","streamSid":"MZ1","media":{"payload":"/w=="}}', "BeforeStart"],
    ["junk", "Hello", "Junk"],
    ["bytes", new Uint8Array(160), "Junk"],
    ["a frame that is too long", `{"event":"${"x".repeat(70_000)}"}`, "TooLong"]
  ]
  it.scopedLive.each(openings)("closes a stream that begins with %s", ([, data, breach]) =>
    Effect.gen(function* () {
      const { publicUrl, refusals } = yield* serve()
      const caller = yield* stray(publicUrl, { starts: false })
      yield* caller.send(data)
      expect((yield* caller.closed).code).toBe(breach === "TooLong" ? 1_009 : 1_008)
      expect(refusals).toMatchObject([{ _tag: "StreamProtocol", breach }])
    })
  )

  it.scopedLive("dials where the agent transfers the call, after its goodbye", () =>
    Effect.gen(function* () {
      const agent = Agent.make("Receptionist", {
        instructions: "Connect the caller.",
        tools: [PhoneTools.transfer({ reception: "+4930123456" })]
      })
      const { publicUrl } = yield* serve(
        { call: () => Effect.succeed({ agent }) },
        EmbeddedRealtime.script([
          [EmbeddedRealtime.call("transfer_call", { destination: "reception" })],
          [EmbeddedRealtime.say("One moment.")]
        ])
      )
      const { after, caller } = yield* dial(publicUrl)
      expect(yield* after).toContain("<Dial>+4930123456</Dial>")
      const played = (yield* caller.commands).flatMap((command) => (command._tag === "Play" ? command.bytes.length : 0))
      expect(played.reduce((sum, length) => sum + length, 0)).toBe(11 * 20 * 8 + 160 - ((11 * 20 * 8) % 160 || 160))
    })
  )

  it.scopedLive("says in the log why a call failed, and nothing of what a tool failed with", () =>
    Effect.gen(function* () {
      const lines = yield* Mailbox.make<string>()
      const logger = Logger.make<unknown, void>(({ annotations, logLevel, message }) => {
        const of = Array.from(annotations, ([name, value]) => `${name}=${String(value)}`).join(" ")
        if (logLevel === LogLevel.Warning) lines.unsafeOffer(`${[message].flat().join(" ")} ${of}`)
      })
      const agent = Agent.make("Receptionist", {
        instructions: "Fail.",
        tools: [
          Tool.make("fail", {
            description: "Fails",
            onFailure: "terminate",
            handler: () => Effect.fail(new Error("a secret"))
          })
        ]
      })
      const { publicUrl } = yield* Effect.provide(
        serving({ call: () => Effect.succeed({ agent }) }, EmbeddedRealtime.script([[EmbeddedRealtime.call("fail")]])),
        Logger.replace(Logger.defaultLogger, logger)
      )
      yield* (yield* dial(publicUrl)).caller.closed
      expect(yield* lines.take).toBe(
        "A phone call has failed. What it failed with is not printed: `onEnd` gets it. callId=CA1 error=ToolFailure"
      )
      expect(yield* lines.size).toEqual(Option.some(0))
    })
  )

  /** What `onEnd` was told of each call. */
  const telling = Effect.map(
    Mailbox.make<readonly [call: TwilioPhone.Incoming, exit: Exit.Exit<unknown, unknown>]>(),
    (ends) => ({
      ends,
      onEnd: (call: TwilioPhone.Incoming, exit: Exit.Exit<unknown, unknown>) =>
        Effect.sync(() => void ends.unsafeOffer([call, exit]))
    })
  )

  it.scopedLive("tells the application how a call ended, and whose it was", () =>
    Effect.gen(function* () {
      const { ends, onEnd } = yield* telling
      const { publicUrl } = yield* serve({ onEnd })
      const { caller } = yield* dial(publicUrl, { callId: "CA7" })
      yield* caller.hangUp
      const [call, exit] = yield* ends.take
      expect(call).toMatchObject({ callId: "CA7", fields: { CallSid: "CA7" } })
      expect(exit).toEqual(Exit.succeed({ _tag: "CallerHungUp" }))
    })
  )

  const reason = new Error("a secret")
  const failing = Agent.make("Receptionist", {
    instructions: "Fail.",
    tools: [Tool.make("fail", { description: "", onFailure: "terminate", handler: () => Effect.fail(reason) })]
  })
  const unreachable = new ConnectFailed({ url: "wss://model", message: "It could not be reached." })
  const silent = { mind: undefined, call: () => Effect.succeed({ agent: plainAgent }) }
  const failures: ReadonlyArray<
    readonly [
      name: string,
      given: {
        readonly mind?: EmbeddedRealtime.Mind | undefined
        readonly model?: Layer.Layer<RealtimeModel>
        readonly call: TwilioPhone.Options<Error, PhoneCall.Current>["call"]
      },
      told: object
    ]
  > = [
    [
      "of a tool that ends the session",
      {
        mind: EmbeddedRealtime.script([[EmbeddedRealtime.call("fail")]]),
        call: () => Effect.succeed({ agent: failing })
      },
      Exit.fail(expect.objectContaining({ _tag: "ToolFailure" }))
    ],
    [
      "that the model cannot be reached",
      { ...silent, model: Layer.succeed(RealtimeModel, { connect: () => Effect.fail(unreachable) }) },
      Exit.fail(unreachable)
    ],
    [
      "of a defect",
      { ...silent, model: Layer.succeed(RealtimeModel, { connect: () => Effect.die(reason) }) },
      Exit.die(reason)
    ]
  ]
  it.scopedLive.each(failures)("tells the application %s", ([, { call, mind, model }, told]) =>
    Effect.gen(function* () {
      const { ends, onEnd } = yield* telling
      const { publicUrl } = yield* Logger.withMinimumLogLevel(
        serving<Error>({ call, onEnd }, mind, model),
        LogLevel.None
      )
      yield* (yield* dial(publicUrl)).caller.closed
      const [{ callId }, exit] = yield* ends.take
      expect(callId).toBe("CA1")
      expect(exit).toMatchObject(told)
    })
  )

  it.scopedLive("takes the next call where the application is slow, or dies, when it hears that one is over", () =>
    Effect.gen(function* () {
      const slow = yield* Deferred.make<void>()
      const lines: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel === LogLevel.Warning) lines.push(String(message))
      })
      const { close, phone, publicUrl } = yield* Effect.provide(
        serving({
          maxCalls: 1,
          onEnd: ({ callId }) => (callId === "CA1" ? Deferred.await(slow) : Effect.dieMessage("SECRET"))
        }),
        Logger.replace(Logger.defaultLogger, logger)
      )
      for (const callId of ["CA1", "CA2", "CA3"]) {
        yield* (yield* dial(publicUrl, { callId })).caller.hangUp
        yield* Effect.sleep("20 millis").pipe(
          Effect.repeat({ until: () => Effect.map(phone.streams, (count) => count === 0) })
        )
      }
      expect(lines).toEqual(
        Array.from({ length: 2 }, () => "The option `onEnd` died. A phone call is over all the same.")
      )
      // The scope waits for the one that is slow.
      const closing = yield* Effect.fork(close)
      yield* Effect.sleep("20 millis")
      expect(yield* Fiber.poll(closing)).toEqual(Option.none())
      yield* Deferred.succeed(slow, undefined)
      yield* Fiber.join(closing)
    })
  )

  it.scopedLive("tells the application also of a call that takes longer to end than the scope waits", () =>
    Effect.gen(function* () {
      const { ends, onEnd } = yield* telling
      const written = yield* Deferred.make<void>()
      const record: Recording.Recording<never> = {
        open: () =>
          Effect.acquireRelease(Effect.succeed({ write: () => Effect.void }), () =>
            Effect.interruptible(Deferred.await(written))
          )
      }
      const { close, phone, publicUrl } = yield* serve({
        onEnd,
        call: () => Effect.succeed({ agent: plainAgent, options: { record } })
      })
      const { caller } = yield* dial(publicUrl)
      yield* Effect.sleep("20 millis").pipe(
        Effect.repeat({ until: () => Effect.map(caller.commands, (all) => all.some(({ _tag }) => _tag === "Mark")) })
      )
      yield* close
      expect(yield* phone.streams).toBe(1)
      expect(yield* ends.size).toEqual(Option.some(0))
      yield* Deferred.succeed(written, undefined)
      const [{ callId }, exit] = yield* ends.take
      expect(callId).toBe("CA1")
      expect(exit).toEqual(Exit.succeed({ _tag: "Closed" }))
    })
  )

  it.scopedLive("lets its calls go on when its layer closes, within its limit", () =>
    Effect.gen(function* () {
      const { ends, onEnd } = yield* telling
      const serverScope = yield* Effect.acquireRelease(Scope.make(), (scope, exit) => Scope.close(scope, exit))
      const context = yield* Layer.buildWithScope(httpServer, serverScope)
      const { address } = Context.get(context, HttpServer.HttpServer)
      const publicUrl = `http://127.0.0.1:${address._tag === "TcpAddress" ? address.port : 0}`
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope, exit) => Scope.close(scope, exit))
      const call = () => Effect.succeed({ agent: plainAgent })
      const phone = TwilioPhone.layer({ authToken, publicUrl, call, onEnd, drainWithin: "10 seconds" })
      const mind = EmbeddedRealtime.fromFunction(() => [EmbeddedRealtime.say("Hello.")])
      yield* Layer.buildWithScope(Layer.provide(phone, EmbeddedRealtime.layer({ mind })), scope).pipe(
        Effect.provide(context),
        Logger.withMinimumLogLevel(LogLevel.None)
      )
      const { caller } = yield* dial(publicUrl)
      yield* Effect.sleep("20 millis").pipe(
        Effect.repeat({ until: () => Effect.map(caller.commands, (all) => all.some(({ _tag }) => _tag === "Mark")) })
      )
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* Effect.sleep("200 millis")
      expect(yield* ends.size).toEqual(Option.some(0))
      yield* caller.hangUp
      expect((yield* ends.take)[1]).toEqual(Exit.succeed({ _tag: "CallerHungUp" }))
      yield* Fiber.join(closing)
    })
  )

  it.scopedLive("lets go of a caller whose model is still being connected, when it closes", () =>
    Effect.gen(function* () {
      const connecting = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const connect = () =>
        Deferred.succeed(connecting, undefined).pipe(
          Effect.zipRight(Effect.never),
          Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
        )
      const { close, phone, publicUrl } = yield* serve({}, undefined, Layer.succeed(RealtimeModel, { connect }))
      const { caller } = yield* dial(publicUrl)
      yield* Deferred.await(connecting)
      yield* close
      yield* Deferred.await(interrupted)
      expect((yield* caller.closed).code).toBe(1_000)
      expect(yield* phone.streams).toBe(0)
    })
  )

  it.scopedLive("lets go of a caller whose stream begins while it closes", () =>
    Effect.gen(function* () {
      let connects = 0
      const connect = () => {
        connects += 1
        return Effect.never
      }
      const { close, phone, publicUrl } = yield* serve({}, undefined, Layer.succeed(RealtimeModel, { connect }))
      const { twiml } = yield* dial(publicUrl, { open: () => open("ws://127.0.0.1:9", {}) })
      const token = /value="([^"]*)"/.exec(twiml)?.[1] ?? ""
      const caller = yield* stray(publicUrl, { callId: "CA1", parameters: { token }, starts: false })
      yield* Effect.sleep("20 millis").pipe(
        Effect.repeat({ until: () => Effect.map(phone.streams, (count) => count === 1) })
      )
      const closing = yield* Effect.fork(close)
      yield* Effect.yieldNow()
      yield* caller.start
      expect((yield* caller.closed).code).toBe(1_000)
      yield* Fiber.join(closing)
      expect(connects).toBe(0)
    })
  )

  it.scopedLive("is done with a call when it is over: all that the call used is closed", () =>
    Effect.gen(function* () {
      const closed = yield* Deferred.make<number>()
      let bytes = 0
      const record: Recording.Recording = {
        open: () =>
          Effect.acquireRelease(
            Effect.succeed({
              write: (more: Uint8Array) =>
                Effect.sync(() => {
                  bytes += more.length
                })
            }),
            () => Deferred.succeed(closed, bytes)
          )
      }
      const { phone, publicUrl } = yield* serve({
        call: () => Effect.succeed({ agent: plainAgent, options: { record } })
      })
      const { after, caller } = yield* dial(publicUrl)
      yield* caller.say(new Uint8Array(1_600))
      yield* caller.hangUp
      yield* after
      expect(yield* Deferred.await(closed)).toBeGreaterThan(0)
      yield* Effect.sleep("20 millis").pipe(
        Effect.repeat({ until: () => Effect.map(phone.streams, (count) => count === 0) })
      )
    })
  )

  it.scopedLive("goes on after a webhook that is too long, and a path that it does not have", () =>
    Effect.gen(function* () {
      const { publicUrl } = yield* serve()
      const post = (path: string, body: string) =>
        Effect.tryPromise(() => fetch(publicUrl + path, { method: "POST", body: new URLSearchParams({ Body: body }) }))
      yield* Effect.exit(post("/voice", "x".repeat(100_000)))
      expect((yield* post("/other", "")).status).toBe(404)
      expect((yield* post("/voice", "")).status).toBe(403)
      yield* dial(publicUrl)
    })
  )

  it.scopedLive("does not wait for a webhook without end that nobody signed, behind any server", () =>
    Effect.gen(function* () {
      const { phone } = yield* serve()
      const handler = HttpApp.toWebHandler(phone.app)
      const post = (body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>) =>
        Effect.promise(() =>
          handler(new Request("http://localhost/voice", { method: "POST", body, ...{ duplex: "half" } }))
        )
      const { body, seen } = endlessBody()
      expect((yield* post(body)).status).toBe(413)
      expect(seen.pieces).toBeLessThan(6)
      expect(seen.isCancelled).toBe(true)
      expect((yield* post(new Uint8Array(64 * 1024))).status).toBe(403)
    })
  )
})
