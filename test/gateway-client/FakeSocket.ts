import type { GatewayProtocol as Protocol } from "../../src/gateway.js"
import type { GatewayClient } from "../../src/gateway-client.js"

type Listener = (event: GatewayClient.WebSocketEvent) => void

/** What a client sends. */
export type Sent = Protocol.Opening | Protocol.ClientMessage | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }

/** A socket whose other side is the test. */
export class FakeSocket implements GatewayClient.WebSocketInstance {
  binaryType = "blob"
  readyState = 0
  bufferedAmount = 0
  readonly sent: Array<Sent> = []
  readonly #listeners: Array<readonly [type: string, listener: Listener]> = []

  constructor(
    readonly url: string,
    readonly protocols: ReadonlyArray<string>
  ) {}

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.sent.push(typeof data === "string" ? JSON.parse(data) : { _tag: "Bytes", bytes: data })
  }

  close(code = 1005): void {
    this.ends(code, "")
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.push([type, listener])
  }

  opens(): void {
    this.readyState = 1
    this.#tell({ type: "open" })
  }

  /** The gateway sends this. */
  says(message: Protocol.GatewayMessage | Uint8Array | { readonly _tag: "Novelty" }): void {
    const data = message instanceof Uint8Array ? new Uint8Array(message).buffer : JSON.stringify(message)
    this.#tell({ type: "message", data })
  }

  welcomes(next = 1, taken = 0): void {
    this.says({ ...welcome, next, taken })
  }

  ends(code: number, reason: string): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.#tell({ type: "close", code, reason })
  }

  #tell(event: GatewayClient.WebSocketEvent): void {
    for (const [type, listener] of this.#listeners) if (type === event.type) listener(event)
  }
}

const welcome: Protocol.Welcome = {
  _tag: "Welcome",
  callId: "call_1",
  key: "key_1",
  sessionId: "ses_1",
  next: 1,
  taken: 0,
  input: { type: "audio/pcm", rate: 24000 },
  output: { type: "audio/pcm", rate: 24000 },
  resumeWithinMs: 30_000,
  silenceMs: 30_000,
  maxMessageBytes: 2_000
}

/** A class of sockets that are kept in order. */
export const fakeSockets = () => {
  const sockets: Array<FakeSocket> = []
  class Kept extends FakeSocket {
    constructor(url: string, protocols: ReadonlyArray<string>) {
      super(url, protocols)
      sockets.push(this)
    }
  }
  return { sockets, webSocket: Kept }
}
