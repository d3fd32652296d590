import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import WebSocket from "ws"
import { say, script } from "../../src/EmbeddedRealtime.js"
import { GatewayClient } from "../../src/gateway-client.js"
import { secret, serve } from "../gateway/harness.js"

/** Sockets that the test can break. */
const breakable = () => {
  const sockets: Array<WebSocket> = []
  class Breakable extends WebSocket {
    constructor(url: string, protocols: Array<string>) {
      super(url, protocols)
      this.on("error", () => undefined)
      sockets.push(this)
    }
  }
  const breakAll = Effect.sync(() => {
    for (const socket of sockets) socket.terminate()
  })
  return { webSocket: Breakable, breakAll, sockets }
}

const connect = (port: number, more: Partial<GatewayClient.Options> = {}) =>
  GatewayClient.connect({
    url: `ws://127.0.0.1:${port}/`,
    token: Redacted.make(secret),
    playback: "estimated",
    reconnect: Schedule.spaced("10 millis"),
    webSocket: breakable().webSocket,
    ...more
  })

/** All events up to the first one of this kind. */
const until = (client: GatewayClient.Client, tag: string) =>
  client.events.pipe(
    Stream.takeUntil((event) => event._tag === tag),
    Stream.runCollect,
    Effect.map((events) => Chunk.toReadonlyArray(events).map(({ _tag }) => _tag))
  )

/** Waits for this state. */
const statusIs = <T extends GatewayClient.Status["_tag"]>(client: GatewayClient.Client, tag: T) =>
  client.status.changes.pipe(
    Stream.filter((status): status is Extract<GatewayClient.Status, { readonly _tag: T }> => status._tag === tag),
    Stream.runHead,
    Effect.flatten
  )

describe("A client", () => {
  it.scopedLive("says something, hears the answer, and hangs up", () =>
    Effect.gen(function* () {
      const { gateway, port } = yield* serve({}, { mind: script([[say("Hello to you.")]]) })
      const client = yield* connect(port)
      expect(yield* SubscriptionRef.get(client.status)).toEqual({ _tag: "Connected" })
      const listening = yield* Effect.fork(Stream.runCollect(client.news))
      const answered = yield* Effect.fork(until(client, "ResponseDone"))
      const itemId = yield* client.sendText("Hello!")
      expect(yield* Fiber.join(answered)).toContain("TextCompleted")
      yield* client.hangUp
      yield* client.await
      const news = Chunk.toReadonlyArray(yield* Fiber.join(listening))
      const events = news.flatMap((one) => (one._tag === "Event" ? [one.event] : []))
      expect(events.some((event) => event._tag === "ItemAdded" && event.item.id === itemId)).toBe(true)
      expect(events.at(-1)?._tag).toBe("SessionEnded")
      expect(news.filter(({ _tag }) => _tag === "Audio").length).toBeGreaterThan(0)
      expect(yield* SubscriptionRef.get(client.status)).toEqual({ _tag: "Ended", error: undefined })
      expect(yield* gateway.calls).toBe(0)
    })
  )

  it.scopedLive("sends audio in the session's order with commands", () =>
    Effect.gen(function* () {
      const { embedded, port } = yield* serve()
      const client = yield* connect(port, { turns: "committed" })
      yield* client.sendAudio(new Uint8Array(9_600))
      yield* client.commitAudio
      const types = (yield* (yield* embedded.connection).received).map(({ type }) => type)
      const appended = types.indexOf("input_audio_buffer.append")
      expect(appended).toBeGreaterThan(-1)
      expect(types.indexOf("input_audio_buffer.commit")).toBeGreaterThan(appended)
    })
  )

  it.scopedLive("continues its call on another socket, and its command is carried out once", () =>
    Effect.gen(function* () {
      const { embedded, gateway, port } = yield* serve({}, { mind: script([[say("One.")], [say("Two.")]]) })
      const { breakAll, sockets, webSocket } = breakable()
      const client = yield* connect(port, { webSocket })
      const heard = yield* Effect.fork(
        Stream.runCollect(
          Stream.takeUntil(client.events, (event) => event._tag === "TextCompleted" && event.text === "Two.")
        )
      )
      yield* client.sendText("Say one.")
      const reconnecting = yield* Effect.fork(statusIs(client, "Reconnecting"))
      yield* Effect.yieldNow()
      yield* breakAll
      yield* client.sendText("Say two.")
      expect(yield* Fiber.join(reconnecting)).toMatchObject({ attempt: 1, code: 1006 })
      const events = Chunk.toReadonlyArray(yield* Fiber.join(heard))
      const texts = events.flatMap((event) => (event._tag === "TextCompleted" ? [event.text] : []))
      expect(texts).toEqual(["One.", "Two."])
      expect(sockets.length).toBe(2)
      expect(yield* gateway.calls).toBe(1)
      expect(yield* SubscriptionRef.get(client.status)).toEqual({ _tag: "Connected" })
      const said = (yield* (yield* embedded.connection).received).filter(
        ({ type }) => type === "conversation.item.create"
      )
      expect(said.length).toBe(2)
    })
  )

  it.scopedLive("is told how much of the user's audio was lost between two sockets", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const { breakAll, webSocket } = breakable()
      const mayReconnect = yield* Deferred.make<void>()
      const reconnect = Schedule.tapInput(Schedule.spaced("10 millis"), () => Deferred.await(mayReconnect))
      const client = yield* connect(port, { turns: "committed", webSocket, reconnect })
      const lost = yield* client.events.pipe(
        Stream.filter((event) => event._tag === "InputAudioDropped"),
        Stream.runHead,
        Effect.fork
      )
      const reconnecting = yield* Effect.fork(statusIs(client, "Reconnecting"))
      yield* Effect.yieldNow()
      yield* breakAll
      yield* Fiber.join(reconnecting)
      yield* client.sendAudio(new Uint8Array(4_800))
      yield* client.sendAudio(new Uint8Array(4_800))
      yield* Deferred.succeed(mayReconnect, undefined)
      yield* statusIs(client, "Connected")
      yield* client.sendAudio(new Uint8Array(4_800))
      // 24,000 samples per second, two bytes each.
      expect(yield* Fiber.join(lost)).toEqual(Option.some({ _tag: "InputAudioDropped", seconds: 0.2 }))
    })
  )

  it.scopedLive("is told which command was not carried out, and why", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const client = yield* connect(port)
      const failed = yield* Effect.flip(client.approve("call_none"))
      expect(failed).toMatchObject({ _tag: "CommandFailed", error: { _tag: "ApprovalNotPending" } })
      expect(failed.message).toMatch(/^Approve was not carried out: /)
      const tooLarge = yield* Effect.flip(client.sendText("é".repeat(200_000)))
      expect(tooLarge).toMatchObject({ _tag: "CommandNotSent", why: "TooLarge" })
      yield* client.hangUp
      yield* client.await
      expect(yield* Effect.flip(client.sendText("Hello?"))).toMatchObject({ _tag: "CommandNotSent", why: "CallOver" })
    })
  )

  it.scopedLive("cannot begin with another token, or if no gateway listens", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const refused = yield* Effect.flip(connect(port, { token: Redacted.make("another one") }))
      expect(refused).toMatchObject({ _tag: "ConnectFailed", code: 1006 })
      expect(refused.message).not.toContain("another one")
      const nobody = yield* Effect.flip(connect(1))
      expect(nobody).toMatchObject({ _tag: "ConnectFailed" })
      const wrong = yield* Effect.flip(connect(port, { url: "no address" }))
      expect(wrong.message).toContain("no address")
    })
  )

  it.scopedLive("gets a token for each socket, and reports a token that cannot be had", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const { breakAll, webSocket } = breakable()
      let tokens = 0
      const token = Effect.sync(() => {
        tokens += 1
        return Redacted.make(secret)
      })
      const client = yield* connect(port, { webSocket, token })
      yield* breakAll
      yield* client.sendText("Are you still there?")
      expect(tokens).toBe(2)
      const exit = yield* Effect.exit(connect(port, { token: Effect.die("no token") }))
      expect(Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined).toBe("no token")
    })
  )

  it.scopedLive("loses its call if the gateway no longer keeps it", () =>
    Effect.gen(function* () {
      const { embedded, port } = yield* serve({ resumeWithin: 0 })
      const { breakAll, webSocket } = breakable()
      const client = yield* connect(port, { webSocket, reconnect: Schedule.forever })
      yield* breakAll
      yield* (yield* embedded.connection).ended
      const error = yield* Effect.flip(client.await)
      expect(error).toMatchObject({ _tag: "CallLost" })
      expect(yield* statusIs(client, "Ended")).toEqual({ _tag: "Ended", error })
    })
  )

  it.scopedLive("is told that the gateway is about to stop, and may finish its call", () =>
    Effect.gen(function* () {
      const { gateway, port } = yield* serve({ drainWithin: "1 minute" })
      const client = yield* connect(port)
      const draining = yield* Effect.fork(gateway.drain)
      expect(yield* statusIs(client, "Draining")).toEqual({ _tag: "Draining", withinMs: 60_000 })
      yield* client.hangUp
      yield* client.await
      yield* Fiber.join(draining)
    })
  )

  it.scopedLive("is told why the gateway ended its call", () =>
    Effect.gen(function* () {
      const { gateway, port } = yield* serve({ drainWithin: 0 })
      const client = yield* connect(port)
      yield* gateway.drain
      const error = yield* Effect.flip(client.await)
      expect(error).toMatchObject({ _tag: "CallEnded", reason: "ShutDown" })
    })
  )

  it.scopedLive("hangs up when its scope closes", () =>
    Effect.gen(function* () {
      const { embedded, port } = yield* serve()
      const scope = yield* Scope.make()
      const client = yield* Scope.extend(connect(port), scope)
      const connection = yield* embedded.connection
      yield* Scope.close(scope, Exit.void)
      yield* connection.ended
      expect(yield* Effect.flip(client.sendText("Hello?"))).toMatchObject({ why: "CallOver" })
    })
  )
})
