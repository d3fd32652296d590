/**
 * `onFailure: "silent"`: the model reads why the tool failed, and is not asked to go on. For what the caller need not
 * hear of, such as a note for later.
 */
import { Console, Effect, Stream } from "effect"
import { Agent, ScriptedModel, Session, Tool } from "effect-realtime"
import "./shared/pipe.js"

const noteMood = Tool.make("note_mood", {
  description: "Notes the mood of the caller",
  onFailure: "silent",
  handler: () => Effect.fail("the notebook is full")
})

const agent = Agent.make("Listener", { instructions: "Listen, and note moods.", tools: [noteMood] })

const program = Effect.gen(function* () {
  const model = yield* ScriptedModel.make([
    [ScriptedModel.say("I see."), ScriptedModel.call("note_mood")],
    [ScriptedModel.say("And then?")]
  ])
  yield* Effect.gen(function* () {
    const session = yield* Session.make(agent)
    yield* session.sendText("What a day.")
    yield* session.events.pipe(
      Stream.tap((event) => {
        if (event._tag === "TextCompleted") return Console.log(`The caller heard: ${event.text}`)
        if (event._tag !== "ToolFailed") return Effect.void
        return Effect.zipRight(
          Console.log(`The application got ${event.error._tag}: ${event.error.message}`),
          session.sendText("My train was late.")
        )
      }),
      Stream.takeUntil((event) => event._tag === "TextCompleted" && event.text === "And then?"),
      Stream.runDrain
    )
  }).pipe(Effect.scoped, Effect.provide(model.layer))

  const asked = (yield* model.sent).filter((event) => event.type === "response.create")
  yield* Console.log(`The model was asked to speak ${asked.length} times: once for each sentence of the caller.`)
})

await Effect.runPromise(program)
