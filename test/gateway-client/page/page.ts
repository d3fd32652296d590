/** A page that talks through a gateway. What happens is in the data of its body, where a test reads it. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { Devices, GatewayClient, Microphone, Speaker, talk } from "effect-realtime/gateway-client"

const show = (name: string, value: string): Effect.Effect<void> =>
  Effect.sync(() => {
    document.body.dataset[name] = value
  })

/** The next press of a button. */
const pressed = (id: string): Effect.Effect<void> =>
  Effect.async((resume) => {
    document.getElementById(id)?.addEventListener("click", () => resume(Effect.void), { once: true })
  })

const call = Effect.gen(function* () {
  yield* pressed("call")
  const microphone = yield* Microphone.open()
  const client = yield* GatewayClient.connect({
    url: `ws://${location.host}/call`,
    token: Redacted.make(location.hash.slice(1)),
    turns: "committed"
  })
  const speaker = yield* Speaker.open({ format: client.welcome.output })
  yield* show("devices", (yield* Devices.list).map(({ kind }) => kind).join(" "))
  const reportPlayback: typeof client.reportPlayback = (itemId, contentIndex, heardMs) =>
    Effect.zipRight(client.reportPlayback(itemId, contentIndex, heardMs), show("heard", String(heardMs)))
  const statuses: Array<string> = []
  yield* talk({ ...client, reportPlayback }, { microphone, speaker })
  yield* Effect.forkScoped(
    Stream.runForEach(client.status.changes, ({ _tag }) =>
      Effect.suspend(() => {
        statuses.push(_tag)
        return show("statuses", statuses.join(" "))
      })
    )
  )
  for (const [id, run] of [
    ["ask", client.sendText("Go on.")],
    ["interrupt", client.interrupt],
    ["hang-up", client.hangUp]
  ] as const) {
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(pressed(id), run)))
  }
  yield* client.await
}).pipe(
  Effect.scoped,
  Effect.catchAll((error) => show("error", `${error._tag} ${"reason" in error ? error.reason : ""}`)),
  Effect.zipRight(show("over", "yes"))
)

Effect.runFork(call)
