import { connect as connectTcp } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Gateway, GatewayProtocol as Protocol } from "../../src/gateway.js"
import { type ConnectOptions, connect, secret, serve } from "./harness.js"

const statusOf = (port: number, options: ConnectOptions) =>
  Effect.map(Effect.flip(connect(port, options)), ({ status }) => status)

/** What a plain HTTP request gets, with headers of its own. */
const request = (port: number, lines: ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.async((resume) => {
    const socket = connectTcp(port, "127.0.0.1")
    let text = ""
    socket.on("data", (data) => {
      text += data.toString("latin1")
    })
    socket.on("close", () => resume(Effect.succeed(text.split("\r\n")[0] ?? "")))
    socket.write(`${[...lines, "", ""].join("\r\n")}`)
  })

describe("A client is let in", () => {
  const cases: ReadonlyArray<readonly [name: string, options: ConnectOptions]> = [
    ["with the token among its subprotocols, as a browser sends it", {}],
    [
      "with the token in a header",
      { protocols: [Protocol.subprotocol], headers: { authorization: `Bearer ${secret}` } }
    ],
    ["from a page of the same host", { headers: { host: "localhost:3000", origin: "http://localhost:3000" } }],
    ["under a name of this machine, however it is written", { headers: { host: "LOCALHOST" } }]
  ]
  it.scopedLive.each(cases)("%s", ([, options]) =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const client = yield* connect(port, options)
      client.send({ _tag: "Start", playback: "estimated" })
      expect((yield* client.next)._tag).toBe("Welcome")
    })
  )
})

describe("A client is refused", () => {
  const cases: ReadonlyArray<readonly [name: string, status: number, options: ConnectOptions]> = [
    ["without a token", 401, { protocols: [Protocol.subprotocol] }],
    ["with another token", 401, { token: `${secret}!` }],
    ["with a token that is no base64", 401, { protocols: [Protocol.subprotocol, `${Protocol.tokenPrefix}~`] }],
    ["without the subprotocol", 400, { protocols: [], headers: { authorization: `Bearer ${secret}` } }],
    [
      "with another version of it",
      400,
      { protocols: ["effect-realtime.v2"], headers: { authorization: `Bearer ${secret}` } }
    ],
    [
      "with the token first, which would come back in the answer",
      400,
      { protocols: [Protocol.tokenProtocol(secret), Protocol.subprotocol] }
    ],
    [
      "under a name that is not of this machine, such as a page's (DNS rebinding)",
      421,
      { headers: { host: "evil.example" } }
    ],
    ["from a page of another origin", 403, { headers: { origin: "https://evil.example" } }],
    ["from a page on another port", 403, { headers: { host: "localhost:3000", origin: "http://localhost:4000" } }],
    ["from a page without an origin of its own", 403, { headers: { origin: "null" } }]
  ]
  it.scopedLive.each(cases)("%s: %i", ([, status, options]) =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      expect(yield* statusOf(port, options)).toBe(status)
    })
  )

  it.scopedLive("by the lists that the options give", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({ hosts: ["App.example:443"], origins: ["https://app.example"] })
      const host = "app.example:443"
      yield* connect(port, { headers: { host, origin: "https://app.example" } })
      expect(yield* statusOf(port, { headers: { host, origin: "https://other.example" } })).toBe(403)
      expect(yield* statusOf(port, { headers: { host: "app.example" } })).toBe(421)
      expect(yield* statusOf(port, {})).toBe(421)
    })
  )

  it.scopedLive("if its authentication takes too long, or dies", () =>
    Effect.gen(function* () {
      const slow = yield* serve({ authenticate: () => Effect.never, authenticationTimeout: "20 millis" })
      expect(yield* statusOf(slow.port, {})).toBe(401)
      const broken = yield* serve({ authenticate: () => Effect.die(new Error("The database is down.")) })
      expect(yield* statusOf(broken.port, {})).toBe(500)
    })
  )

  it.scopedLive("where too many connect at this moment, until one has said what it wants", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({ maxPending: 1 })
      const first = yield* connect(port)
      expect(yield* statusOf(port, {})).toBe(503)
      first.send({ _tag: "Start", playback: "estimated" })
      yield* first.first("Welcome")
      yield* connect(port)
    })
  )

  it.scopedLive("if its socket is not a WebSocket: the platform would never report it", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({ maxPending: 1 })
      const common = ["Host: localhost", `Authorization: Bearer ${secret}`]
      const upgrade = ["Connection: Upgrade", "Upgrade: websocket", `Sec-WebSocket-Protocol: ${Protocol.subprotocol}`]
      const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
      const version = "Sec-WebSocket-Version: 13"
      const get = "GET / HTTP/1.1"
      expect(yield* request(port, [get, ...common, "Connection: close"])).toContain(" 426 ")
      expect(yield* request(port, [get, ...common, ...upgrade, version])).toContain(" 400 ")
      expect(yield* request(port, [get, ...common, ...upgrade, key])).toContain(" 400 ")
      expect(yield* request(port, [get, ...common, ...upgrade, "Sec-WebSocket-Key: short", version])).toContain(" 400 ")
      expect(yield* request(port, ["POST / HTTP/1.1", ...common, ...upgrade, key, version])).toContain(" 405 ")
      expect(
        yield* request(port, [get, ...common, ...upgrade.slice(0, 2), "Sec-WebSocket-Protocol: a,,b", key, version])
      ).toContain(" 400 ")
      // None of them still counts as one that connects.
      yield* connect(port)
    })
  )
})

describe("A client that resets its connection while it is let in", () => {
  it.scopedLive("ends only its own connection", () =>
    Effect.gen(function* () {
      const isAsked = yield* Effect.makeLatch()
      const isGone = yield* Effect.makeLatch()
      const authenticate: Gateway.Authenticate<Gateway.Identity> = ({ headers }) =>
        headers["x-slow"] === undefined
          ? Effect.succeed({ id: "quick" })
          : isAsked.open.pipe(
              Effect.zipRight(Effect.never),
              Effect.onInterrupt(() => isGone.open)
            )
      const { port } = yield* serve({ authenticate })
      const socket = connectTcp(port, "127.0.0.1")
      socket.write(
        [
          ...["GET / HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket", "X-Slow: yes"],
          ...["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"],
          ...[`Sec-WebSocket-Protocol: ${Protocol.subprotocol}`, "", ""]
        ].join("\r\n")
      )
      yield* isAsked.await
      socket.resetAndDestroy()
      yield* isGone.await
      yield* connect(port)
    })
  )
})
