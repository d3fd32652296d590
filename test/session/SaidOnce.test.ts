import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Agent from "../../src/Agent.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import { type Harness, open } from "./harness.js"
import { crashed, desk, journals } from "./processes.js"

const { say } = ScriptedModel
const agent = Agent.make("Desk", { instructions: "" })

/** How often an item of this id was sent. */
const timesSent = ({ model }: Pick<Harness<never>, "model">, id: string) =>
  Effect.map(
    model.sent,
    (sent) => sent.filter((event) => event.type === "conversation.item.create" && event.item.id === id).length
  )

describe("session.sendText with an id", () => {
  it.scoped("says the words once, however often they are sent, and asks for one answer", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Hello.")], [say("Bye.")]])
      const sent = Effect.all(
        Array.from({ length: 3 }, () => h.session.sendText("Hi!", { id: "mine" })),
        { concurrency: "unbounded" }
      )
      expect(yield* sent).toEqual(["mine", "mine", "mine"])
      yield* h.first("ResponseDone")
      expect(yield* sent).toEqual(["mine", "mine", "mine"])
      expect(yield* timesSent(h, "mine")).toBe(1)
      expect(yield* h.requests).toBe(1)
      expect(yield* h.session.sendText("Hi!", { id: "other" })).toBe("other")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.model.refused).toEqual([])
    })
  )

  it.scoped("also holds in another process that resumes the session", () =>
    Effect.gen(function* () {
      const { second } = yield* crashed(
        desk,
        [[say("Hello.")]],
        ({ session, until }) => Effect.zipRight(session.sendText("Hi!", { id: "mine" }), until("ResponseDone")),
        [[say("Bye.")]]
      )
      yield* second.until("SessionResumed")
      yield* second.session.sendText("Hi!", { id: "mine" })
      yield* second.session.sendText("Bye!", { id: "next" })
      yield* second.until("ResponseDone")
      const { items } = yield* second.session.conversation
      expect(items.map(({ id }) => id).filter((id) => id === "mine" || id === "next")).toEqual(["mine", "next"])
      expect(items).toHaveLength(4)
      expect(yield* second.model.refused).toEqual([])
    }).pipe(Effect.provide(journals))
  )
})
