import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
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
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as Calls from "../../src/Calls.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import type * as Session from "../../src/Session.js"
import type { SessionError } from "../../src/SessionError.js"
import * as Tool from "../../src/Tool.js"
import type { ToolError } from "../../src/ToolError.js"
import { endlessBody } from "../endlessBody.js"
import { httpServer, portOf } from "../gateway/harness.js"

const apiKey = Redacted.make("sk-very-secret-0123456789")
const secret = Redacted.make(`whsec_${Buffer.from("the secret of this webhook").toString("base64")}`)
const { call, say } = EmbeddedRealtime

const desk = Agent.make("Desk", {
  instructions: "Answer the phone.",
  settings: { audio: { output: { voice: "cedar" } } },
  tools: [Tool.make("hours", { description: "When we are open.", handler: () => Effect.succeed("9 to 5") })]
})

interface End {
  readonly callId: string
  readonly exit: Exit.Exit<void, unknown>
}

/** A server for webhooks, with the embedded server as the service. */
const open = <E extends { readonly _tag: string }, ED = never>(
  decide: (call: Calls.IncomingCall) => Effect.Effect<Calls.Decision<E>, ED>,
  more: {
    readonly maxCalls?: number
    readonly turns?: ReadonlyArray<EmbeddedRealtime.Turn>
    readonly besideWithin?: (callId: string) => number
  } = {},
  refuse: (url: string) => number | undefined = () => undefined
) =>
  Effect.gen(function* () {
    const asked: Array<string> = []
    /** A proxy before the service, which gives up after the service has done what it was asked for. */
    const proxy = Layer.map(FetchHttpClient.layer, (context) => {
      const client = Context.get(context, HttpClient.HttpClient)
      const proxied = HttpClient.transform(client, (answer, request) =>
        Effect.map(answer, (response) => {
          asked.push(request.url)
          const status = refuse(request.url)
          return status === undefined
            ? response
            : HttpClientResponse.fromWeb(request, new Response("The service is slow.", { status }))
        })
      )
      return Context.make(HttpClient.HttpClient, proxied)
    })
    const server = yield* EmbeddedRealtime.serve({ apiKey, mind: EmbeddedRealtime.script(more.turns ?? []) })
    const ends = yield* Mailbox.make<End>()
    const scope = yield* Scope.make()
    const { app, calls } = yield* Calls.sip({
      secret,
      decide,
      beside: (callId) =>
        OpenAiRealtime.make({
          apiKey,
          callId,
          url: server.url,
          attachWithin: more.besideWithin?.(callId) ?? "1 second"
        }),
      onEnd: ({ callId }, exit) => Effect.sync(() => void ends.unsafeOffer({ callId, exit })),
      ...(more.maxCalls === undefined ? {} : { maxCalls: more.maxCalls })
    }).pipe(Effect.provide(Layer.provide(Calls.layer({ apiKey, baseUrl: server.baseUrl }), proxy)), Scope.extend(scope))
    yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
    const http = yield* httpServer
    yield* Effect.provideService(HttpServer.serveEffect(app), HttpServer.HttpServer, http)
    const post = ({ body, headers }: Calls.Delivery, method = "POST") =>
      Effect.promise(() =>
        fetch(`http://127.0.0.1:${portOf(http)}/`, {
          method,
          headers: Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
          ...(method === "POST" ? { body: new Uint8Array(body) } : {})
        }).then(({ status }) => status)
      )
    const announce = (callId: string, id = `wh_${callId}`, type = "realtime.call.incoming") =>
      Effect.flatMap(Calls.sign({ id, type, data: { call_id: callId, sip_headers: [] } }, secret), (delivery) =>
        post(delivery)
      )
    return { server, app, ends, calls, asked, post, announce, shutDown: Scope.close(scope, Exit.void) }
  })

/** A service in memory, under the clock of the test. What it was asked for is in `done`. */
const inMemory = (
  options: Pick<Parameters<typeof Calls.sip>[0], "maxCalls"> & {
    readonly decide: (callId: string) => Effect.Effect<Calls.Decision>
    readonly onEnd?: (callId: string, exit: Exit.Exit<void, unknown>) => Effect.Effect<void>
    readonly rejecting?: Effect.Effect<void>
  }
) =>
  Effect.gen(function* () {
    const done = yield* Mailbox.make<string>()
    const act = (...words: ReadonlyArray<unknown>) => Effect.sync(() => void done.unsafeOffer(words.join(" ")))
    const scope = yield* Scope.make()
    const { rejecting = Effect.void } = options
    const sip = yield* Calls.sip({
      secret,
      decide: ({ callId }) => options.decide(callId),
      beside: (callId) => OpenAiRealtime.make({ apiKey, callId }),
      maxCalls: options.maxCalls,
      onEnd: ({ callId }, exit) => options.onEnd?.(callId, exit) ?? Effect.void
    }).pipe(
      Effect.provideService(Calls.OpenAiCalls, {
        clientSecret: () => Effect.die("nobody asks"),
        create: () => Effect.die("nobody asks"),
        refer: () => Effect.die("nobody asks"),
        accept: (callId) => act("accept", callId),
        reject: (callId, status) => Effect.zipRight(act("reject", callId, status), rejecting),
        hangUp: (callId) => act("hang up", callId)
      }),
      Scope.extend(scope)
    )
    const announce = (callId: string) =>
      Effect.gen(function* () {
        const event = { id: `wh_${callId}`, type: "realtime.call.incoming", data: { call_id: callId } }
        const { body, headers } = yield* Calls.sign(event, secret)
        const request = new Request("http://localhost/", { method: "POST", body: new Uint8Array(body), headers })
        yield* Effect.provideService(sip.app, HttpServerRequest.HttpServerRequest, HttpServerRequest.fromWeb(request))
      })
    return { done, announce, calls: sip.calls, shutDown: Scope.close(scope, Exit.void) }
  })

/** Answers, and talks so long. */
const talking = (talk: Effect.Effect<void> = Effect.never): Calls.Decision => ({
  _tag: "Answer",
  session: Effect.succeed({}),
  talk: () => talk
})

const answered = () => Effect.succeed(Calls.answer(desk))

describe("Calls over SIP", () => {
  it.scopedLive("are answered, greeted, and served with tools until the user hangs up", () =>
    Effect.gen(function* () {
      const sip = yield* open(answered, { turns: [[say("Welcome!")], [call("hours")], [say("Until five.")]] })
      const ringing = yield* sip.server.ring
      expect(yield* sip.announce(ringing.id)).toBe(200)
      yield* ringing.accepted
      const connection = yield* sip.server.connection
      yield* connection.next("response.create")
      expect(yield* sip.calls).toBe(1)
      expect(yield* ringing.session).toMatchObject({
        audio: { output: { voice: "cedar" } },
        tools: [{ name: "hours" }]
      })
      yield* ringing.userSays("When do you close?")
      yield* connection.next("conversation.item.create")
      yield* connection.next("response.create")
      expect(yield* ringing.outputs).toMatchObject([{ output: "9 to 5" }])
      yield* ringing.hangUp
      expect(yield* sip.ends.take).toEqual({ callId: ringing.id, exit: Exit.void })
      expect(yield* sip.calls).toBe(0)
      expect(yield* connection.refused).toEqual([])
    })
  )

  it.scopedLive("are hung up when the session ends, or when what it was begun with fails", () =>
    Effect.gen(function* () {
      class NoDesk extends Data.TaggedError("NoDesk") {}
      const sip = yield* open(({ callId }) =>
        Effect.succeed(
          Calls.answer(desk, {
            begin: (session) => (callId === "rtc_1" ? session.close : Effect.fail(new NoDesk()))
          })
        )
      )
      for (const exit of [Exit.void, Exit.fail(new NoDesk())]) {
        const ringing = yield* sip.server.ring
        yield* sip.announce(ringing.id)
        expect(yield* ringing.ended).toEqual({ _tag: "HungUp", by: "application" })
        expect((yield* sip.ends.take).exit).toEqual(exit)
      }
    })
  )

  it.scopedLive("are taken once, however often and under however many names they are announced", () =>
    Effect.gen(function* () {
      const decided: Array<string> = []
      const sip = yield* open(({ callId }) =>
        Effect.sync(() => {
          decided.push(callId)
          return Calls.answer(desk)
        })
      )
      const ringing = yield* sip.server.ring
      const statuses = yield* Effect.all(
        [
          sip.announce(ringing.id),
          // Delivered again: the same webhook, another webhook for the same call, and GPT-Live's names for it.
          sip.announce(ringing.id),
          sip.announce(ringing.id, "wh_other"),
          sip.announce(ringing.id, "wh_live", "live.transport.incoming"),
          sip.announce(ringing.id, "wh_live_before", "live.call.incoming")
        ],
        { concurrency: "unbounded" }
      )
      expect(statuses).toEqual([200, 200, 200, 200, 200])
      yield* ringing.accepted
      yield* sip.server.connection
      expect(decided).toEqual([ringing.id])
    })
  )

  it.scopedLive("that are gone when their webhook comes are over, and disturb nothing", () =>
    Effect.gen(function* () {
      const sip = yield* open(answered)
      expect(yield* sip.announce("rtc_77")).toBe(200)
      expect((yield* sip.ends.take).exit).toMatchObject(Exit.fail({ _tag: "CallGone", callId: "rtc_77" }))
      const ringing = yield* sip.server.ring
      yield* sip.announce(ringing.id)
      yield* ringing.accepted
    })
  )

  it.scopedLive("are declined when nobody can decide, or all lines are busy", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const sip = yield* open(
        ({ callId }) =>
          callId === "rtc_1"
            ? Effect.die("lost")
            : callId === "rtc_2"
              ? Effect.fail("no")
              : Effect.as(Deferred.await(gate), Calls.decline(480)),
        { maxCalls: 1 }
      )
      // `onEnd` gets why: a line in the log does not say what the application failed with.
      for (const exit of [Exit.die("lost"), Exit.fail("no")]) {
        const ringing = yield* sip.server.ring
        yield* sip.announce(ringing.id)
        expect(yield* ringing.ended).toEqual({ _tag: "Rejected", statusCode: 603 })
        expect(yield* sip.ends.take).toEqual({ callId: ringing.id, exit })
      }
      const [third, fourth] = [yield* sip.server.ring, yield* sip.server.ring]
      yield* sip.announce(third.id)
      yield* sip.announce(fourth.id)
      expect(yield* fourth.ended).toEqual({ _tag: "Rejected", statusCode: 486 })
      yield* Deferred.succeed(gate, undefined)
      expect(yield* third.ended).toEqual({ _tag: "Rejected", statusCode: 480 })
    })
  )

  it.scopedLive("whose agent, or whose model, cannot be used are declined: nobody is picked up and hung up on", () =>
    Effect.gen(function* () {
      const twice = Tool.make("hours", { description: "When we are open.", handler: () => Effect.void })
      const invalid = Agent.make("Desk", { instructions: "Help.", tools: [twice, twice] })
      const sip = yield* open(
        ({ callId }) =>
          Effect.succeed(
            callId === "rtc_1"
              ? Calls.answer(invalid)
              : callId === "rtc_2"
                ? Calls.answer(desk, { session: { maxOpenCalls: 0 } })
                : Calls.answer(desk)
          ),
        { besideWithin: () => -1 }
      )
      for (const error of ["AgentInvalid", "OptionsInvalid", "OptionsInvalid"]) {
        const ringing = yield* sip.server.ring
        yield* sip.announce(ringing.id)
        expect(yield* ringing.ended).toEqual({ _tag: "Rejected", statusCode: 603 })
        expect((yield* sip.ends.take).exit).toMatchObject(Exit.fail({ _tag: error }))
      }
      expect(sip.asked.map((path) => path.split("/").at(-1))).toEqual(["reject", "reject", "reject"])
    })
  )

  it.scopedLive(
    "do not ring on when they are declined with what is no status: they are declined, and `onEnd` hears why",
    () =>
      Effect.gen(function* () {
        const sip = yield* open(() => Effect.succeed(Calls.decline(200)))
        const ringing = yield* sip.server.ring
        yield* sip.announce(ringing.id)
        expect((yield* sip.ends.take).exit).toMatchObject(Exit.fail({ _tag: "RequestInvalid", param: "statusCode" }))
        expect(yield* ringing.ended).toEqual({ _tag: "Rejected", statusCode: 603 })
      })
  )

  it.scopedLive("are all hung up when the scope closes", () =>
    Effect.gen(function* () {
      const sip = yield* open(answered)
      const ringing = yield* sip.server.ring
      yield* sip.announce(ringing.id)
      yield* sip.server.connection
      yield* sip.shutDown
      expect(yield* ringing.ended).toEqual({ _tag: "HungUp", by: "application" })
    })
  )

  it.scopedLive("hold no line whose session has ended, although `begin` cannot be interrupted", () =>
    Effect.gen(function* () {
      const sip = yield* open(() =>
        Effect.succeed(
          Calls.answer(desk, {
            begin: (session) => Effect.zipRight(session.close, Effect.uninterruptible(Effect.never))
          })
        )
      )
      const ringing = yield* sip.server.ring
      yield* sip.announce(ringing.id)
      expect(yield* ringing.ended).toEqual({ _tag: "HungUp", by: "application" })
      expect(yield* sip.ends.take).toEqual({ callId: ringing.id, exit: Exit.void })
      expect(yield* sip.calls).toBe(0)
    })
  )

  it.scopedLive("hold no server that stops, although `begin` cannot be interrupted", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const begin = () => Effect.zipRight(Deferred.succeed(begun, undefined), Effect.uninterruptible(Effect.never))
      const sip = yield* open(() => Effect.succeed(Calls.answer(desk, { begin })))
      const ringing = yield* sip.server.ring
      yield* sip.announce(ringing.id)
      yield* Deferred.await(begun)
      yield* sip.shutDown
      expect(yield* ringing.ended).toEqual({ _tag: "HungUp", by: "application" })
    })
  )

  it.effect("are told of to `onEnd` when the scope closes, which waits for it for ten seconds", () =>
    Effect.gen(function* () {
      const ends = yield* Mailbox.make<string>()
      const sip = yield* inMemory({
        decide: () => Effect.succeed(talking()),
        onEnd: (callId, exit) => {
          ends.unsafeOffer(`${callId} ${Exit.isInterrupted(exit) ? "was interrupted" : exit._tag}`)
          return callId === "rtc_1" ? Effect.never : Effect.void
        }
      })
      for (const callId of ["rtc_1", "rtc_2"]) {
        yield* sip.announce(callId)
        expect(yield* sip.done.take).toBe(`accept ${callId}`)
      }
      const stopping = yield* Effect.fork(sip.shutDown)
      expect(Array.from((yield* ends.takeN(2))[0]).sort()).toEqual(["rtc_1 was interrupted", "rtc_2 was interrupted"])
      yield* TestClock.adjust("9 seconds")
      expect(stopping.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(stopping)
      expect((yield* sip.done.takeAll)[0]).toHaveLength(2)
    })
  )

  it.effect("are declined when `decide` takes too long, and `onEnd` hears of it", () =>
    Effect.gen(function* () {
      const ends = yield* Mailbox.make<Exit.Exit<void, unknown>>()
      const sip = yield* inMemory({
        decide: () => Effect.never,
        onEnd: (_, exit) => Effect.sync(() => void ends.unsafeOffer(exit))
      })
      yield* sip.announce("rtc_1")
      yield* TestClock.adjust("10 seconds")
      expect(yield* sip.done.take).toBe("reject rtc_1 ")
      const error = yield* Effect.flip(Effect.flatten(ends.take))
      expect(error).toMatchObject({ _tag: "TimeoutException", message: expect.stringContaining("`decideWithin`") })
    })
  )

  it.effect("take no place when they are over, however slow `onEnd` is", () =>
    Effect.gen(function* () {
      const ended = yield* Deferred.make<void>()
      const sip = yield* inMemory({
        maxCalls: 1,
        decide: () => Effect.succeed(talking(Effect.void)),
        onEnd: () => Effect.zipRight(Deferred.succeed(ended, undefined), Effect.never)
      })
      yield* sip.announce("rtc_1")
      yield* Deferred.await(ended)
      expect(yield* sip.calls).toBe(0)
      yield* sip.announce("rtc_2")
      expect(Array.from((yield* sip.done.takeN(3))[0])).toEqual(["accept rtc_1", "hang up rtc_1", "accept rtc_2"])
    })
  )

  it.effect("take no place while they are turned away, however slow the service is", () =>
    Effect.gen(function* () {
      const over = yield* Deferred.make<void>()
      const sip = yield* inMemory({
        maxCalls: 1,
        decide: (callId) => Effect.succeed(callId === "rtc_3" ? Calls.decline() : talking(Deferred.await(over))),
        rejecting: Effect.never
      })
      const next = (callId: string) => Effect.zipRight(sip.announce(callId), sip.done.take)
      expect(yield* next("rtc_1")).toBe("accept rtc_1")
      expect(yield* next("rtc_2")).toBe("reject rtc_2 486")
      expect(yield* sip.calls).toBe(1)
      yield* Deferred.succeed(over, undefined)
      expect(yield* sip.done.take).toBe("hang up rtc_1")
      expect(yield* next("rtc_3")).toBe("reject rtc_3 ")
      expect(yield* sip.calls).toBe(0)
      expect(yield* next("rtc_4")).toBe("accept rtc_4")
    })
  )

  it.scopedLive("are left to other servers when this one stops: their webhooks come again", () =>
    Effect.gen(function* () {
      const sip = yield* open(answered)
      const ringing = yield* sip.server.ring
      yield* sip.shutDown
      expect(yield* sip.announce(ringing.id)).toBe(503)
      expect(yield* sip.calls).toBe(0)
    })
  )

  it.scopedLive("that may have been accepted behind a proxy that gave up are hung up", () =>
    Effect.gen(function* () {
      for (const [status, hangsUp] of [
        [504, true],
        [400, false]
      ] as const) {
        const sip = yield* open(answered, {}, (asked) => (asked.endsWith("/accept") ? status : undefined))
        const ringing = yield* sip.server.ring
        yield* sip.announce(ringing.id)
        expect((yield* sip.ends.take).exit).toMatchObject(Exit.fail({ _tag: "RequestRefused", status }))
        expect(sip.asked.map((path) => path.split("/").at(-1))).toEqual(hangsUp ? ["accept", "hangup"] : ["accept"])
      }
    })
  )

  it.scopedLive("that cannot be hung up are told of, with what they failed with before", () =>
    Effect.gen(function* () {
      const begin = (session: Session.Session<never>) => Effect.zipRight(session.close, Effect.never)
      class NoDesk extends Data.TaggedError("NoDesk") {}
      const failing = () => Effect.fail(new NoDesk())
      for (const begun of [begin, failing]) {
        const sip = yield* open(
          () => Effect.succeed(Calls.answer(desk, { begin: begun })),
          {},
          (asked) => (asked.endsWith("/hangup") ? 500 : undefined)
        )
        const ringing = yield* sip.server.ring
        yield* sip.announce(ringing.id)
        const { exit } = yield* sip.ends.take
        const failures = Exit.isFailure(exit) ? Array.from(Cause.failures(exit.cause)) : []
        const notHungUp = { _tag: "RequestRefused", action: "hangup", status: 500 }
        expect(failures).toMatchObject(begun === begin ? [notHungUp] : [{ _tag: "NoDesk" }, notHungUp])
      }
    })
  )

  it.scopedLive("are not answered for webhooks that nobody signed, that are stale, too long, or no webhooks", () =>
    Effect.gen(function* () {
      const sip = yield* open(() => Effect.die("nobody asks"))
      const good = yield* Calls.sign({ id: "wh_1", type: "realtime.call.incoming", data: { call_id: "rtc_1" } }, secret)
      expect(yield* sip.post({ ...good, headers: {} })).toBe(401)
      expect(yield* sip.post({ ...good, headers: { ...good.headers, "webhook-timestamp": "1700000000" } })).toBe(401)
      expect(yield* sip.post({ ...good, body: Buffer.from("{}") })).toBe(401)
      expect(yield* sip.post({ ...good, body: new Uint8Array(100_000) })).toBe(413)
      expect(yield* sip.post(good, "GET")).toBe(405)
      // Signed, and not understood: it would be sent again for days.
      expect(yield* sip.post(yield* Calls.sign({ id: "wh_2", type: "realtime.call.incoming", data: 1 }, secret))).toBe(
        200
      )
      expect(yield* sip.calls).toBe(0)
    })
  )

  it.scopedLive("are not waited for in a body without end that nobody signed, behind any server", () =>
    Effect.gen(function* () {
      const { app, calls } = yield* open(() => Effect.die("nobody asks"))
      const handler = HttpApp.toWebHandler(app)
      const { body, seen } = endlessBody()
      const endless = { method: "POST", body, duplex: "half" }
      expect((yield* Effect.promise(() => handler(new Request("http://localhost/", endless)))).status).toBe(413)
      expect(seen.pieces).toBeLessThan(6)
      expect(seen.isCancelled).toBe(true)
      const short = { method: "POST", body: new Uint8Array(64 * 1024) }
      expect((yield* Effect.promise(() => handler(new Request("http://localhost/", short)))).status).toBe(401)
      expect(yield* calls).toBe(0)
    })
  )

  it.scopedLive(
    "that fail, or whose webhook has a wrong signature, are in the log, also where nobody asks how they ended",
    () =>
      Effect.gen(function* () {
        class NoDesk extends Data.TaggedError("NoDesk") {}
        const lines = yield* Mailbox.make<string>()
        const logger = Logger.make<unknown, void>(({ annotations, logLevel, message }) => {
          const words = Array.isArray(message) ? message.join(" ") : String(message)
          const of = Array.from(annotations, ([name, value]) => `${name}=${String(value)}`).join(" ")
          if (LogLevel.greaterThanEqual(logLevel, LogLevel.Info))
            lines.unsafeOffer(`${logLevel.label} ${words} ${of}`.trim())
        })
        const begin = { rtc_1: Effect.fail(new NoDesk()), rtc_2: Effect.die("the words of a bug") }
        const decide = { rtc_3: Effect.fail(new NoDesk()), rtc_4: Effect.die("the words of a bug") }
        const begins = (callId: string): callId is keyof typeof begin => callId in begin
        const decides = (callId: string): callId is keyof typeof decide => callId in decide
        const sip = yield* open(({ callId }) =>
          decides(callId)
            ? decide[callId]
            : Effect.succeed(
                Calls.answer(desk, { model: "gpt-realtime", ...(begins(callId) ? { begin: () => begin[callId] } : {}) })
              )
        ).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
        const next = lines.take
        yield* sip.announce((yield* sip.server.ring).id)
        const withheld = "What it failed with is not printed: `onEnd` gets it."
        expect(yield* next).toBe(`WARN A phone call has failed. ${withheld} callId=rtc_1 error=NoDesk`)
        yield* sip.announce((yield* sip.server.ring).id)
        expect(yield* next).toBe(`WARN A phone call has failed. ${withheld} callId=rtc_2 error=Defect`)
        yield* sip.announce((yield* sip.server.ring).id)
        expect(yield* next).toBe(
          `WARN A call is declined, because \`decide\` failed. ${withheld} callId=rtc_3 error=NoDesk`
        )
        yield* sip.announce((yield* sip.server.ring).id)
        expect(yield* next).toBe(
          `WARN A call is declined, because \`decide\` died. ${withheld} callId=rtc_4 error=Defect`
        )
        yield* sip.announce("rtc_9")
        expect(yield* next).toMatch(
          /^INFO A phone call was gone\. There is no call "rtc_9" any more: .* callId=rtc_9 error=CallGone$/
        )
        const good = yield* Calls.sign({ id: "wh_1", type: "realtime.call.incoming", data: {} }, secret)
        yield* sip.post({ ...good, headers: {} })
        yield* sip.post({ ...good, body: Buffer.from("{}") })
        expect(yield* next).toMatch(/^WARN A webhook was refused\. No signature of the webhook fits/)
        expect(yield* lines.size).toEqual(Option.some(0))
      })
  )

  it("fail with what their sessions, tools and beginnings fail with, and require what these require", () => {
    class Sold extends Data.TaggedError("Sold") {}
    class Shop extends Context.Tag("test/Shop")<Shop, string>() {}
    class Tokens extends Context.Tag("test/Tokens")<Tokens, Redacted.Redacted>() {}
    class Late extends Data.TaggedError("Late") {}
    const agent = Agent.make("Shop", {
      instructions: Effect.map(Shop, String),
      tools: [Tool.make("buy", { description: "Buys.", handler: () => Effect.fail(new Sold()) })]
    })
    const decision = Calls.answer(agent, { begin: () => Effect.zipRight(Tokens, Effect.fail(new Late())) })
    expectTypeOf(decision).toEqualTypeOf<Calls.Decision<SessionError | ToolError<Sold> | Late, Shop | Tokens>>()
    const sip = Calls.sip({
      secret,
      decide: ({ callId }) => Effect.succeed(callId === "" ? Calls.decline() : decision),
      beside: (callId) => OpenAiRealtime.make({ apiKey: Tokens, callId }),
      onEnd: (_, exit) => {
        expectTypeOf(exit).toEqualTypeOf<Exit.Exit<void, Calls.CallFailure<SessionError | ToolError<Sold> | Late>>>()
        return Effect.void
      }
    })
    expectTypeOf(sip).toEqualTypeOf<
      Effect.Effect<Calls.Sip, Calls.OptionsInvalid, Calls.OpenAiCalls | Scope.Scope | Shop | Tokens>
    >()
  })
})
