/**
 * Barge-in: the caller begins to speak while the model still does. What was not heard is dropped on this side and cut on
 * the server, so that the model knows what the caller knows.
 */
import { Chunk, Console, Effect, Queue, Stream } from "effect"
import { Agent, Audio, EmbeddedRealtime, ScriptedModel, Session, type SessionEvent } from "effect-realtime"
import "./shared/pipe.js"

const agent = Agent.make("Guide", { instructions: "Tell what there is to see." })

const { say } = ScriptedModel
const script = [
  [say("The cathedral was begun in 1248, and then, after three centuries of work and three of rest, it was finished.")],
  [say("It opens at ten.")]
]

const speech = (text: string) =>
  EmbeddedRealtime.toneVoice({ frequency: 330 }).speak(text, { format: "audio/pcm" }).pipe(Stream.runCollect)

const program = Effect.gen(function* () {
  const model = yield* ScriptedModel.make(script)
  const session = yield* Session.make(agent).pipe(Effect.provide(model.layer))
  const heard = { ms: 0 }

  /** Voice activity detection, on the server, starts a turn when it hears speech, and ends it after silence. */
  const bargeIn = Effect.gen(function* () {
    yield* Console.log(`caller   begins to speak, after ${heard.ms} ms of the answer`)
    for (const { audio } of yield* speech("And when does it open?")) yield* session.sendAudio(audio)
    yield* session.sendAudio(Audio.silence(Audio.pcm16, 800))
  })

  // The model generates faster than its voice plays: a player buffers the audio that is still to be heard.
  const player = yield* Queue.unbounded<SessionEvent.AudioChunk>()
  yield* session.audio.pipe(
    Stream.runForEach((chunk) => Queue.offer(player, chunk)),
    Effect.forkScoped
  )
  yield* Queue.take(player).pipe(
    Effect.flatMap(({ bytes, contentIndex, itemId }) => {
      const ms = Audio.durationMs(Audio.pcm16, bytes.length)
      return Effect.gen(function* () {
        yield* Effect.sleep(ms)
        heard.ms += ms
        yield* session.reportPlayback(itemId, contentIndex, heard.ms)
        if (heard.ms === 960) yield* bargeIn
      })
    }),
    Effect.forever,
    Effect.forkScoped
  )

  yield* session.sendText("What is this church?")
  yield* session.events.pipe(
    Stream.tap((event) => {
      switch (event._tag) {
        case "TextCompleted":
          return Console.log(`model    makes the sound of: ${event.text}`)
        case "AudioInterrupted":
          return Effect.gen(function* () {
            const dropped = yield* Queue.takeAll(player)
            heard.ms = 0
            yield* Console.log(`player   heardMs: ${event.heardMs}; drops ${Chunk.size(dropped)} pieces`)
            const { audio_end_ms } = yield* model.next("conversation.item.truncate")
            yield* Console.log(`server   cuts the answer at ${audio_end_ms} ms`)
          })
        default:
          return Effect.void
      }
    }),
    Stream.filter((event) => event._tag === "TextCompleted"),
    Stream.take(2),
    Stream.runDrain
  )
})

await program.pipe(Effect.scoped, Effect.runPromise)
