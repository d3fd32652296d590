/**
 * `onFailure: "terminate"`: the model reads why the tool failed, the event is published, and then the session ends with
 * that error in its typed error channel. For what makes it pointless to go on.
 */
import { Console, Effect, Schema } from "effect"
import { Agent, ScriptedModel, Session, Tool } from "effect-realtime"
import "./shared/pipe.js"

class AccountLocked extends Schema.TaggedError<AccountLocked>()("AccountLocked", { account: Schema.String }) {
  override get message() {
    return `The account ${this.account} is locked.`
  }
}

const openAccount = Tool.make("open_account", {
  description: "Opens the account of the caller",
  parameters: { account: Schema.String },
  failure: AccountLocked,
  onFailure: "terminate",
  handler: ({ account }) => new AccountLocked({ account })
})

const agent = Agent.make("Bank", { instructions: "Help with accounts.", tools: [openAccount] })

const program = Effect.gen(function* () {
  const model = yield* ScriptedModel.make([[ScriptedModel.call("open_account", { account: "A-17" })]])
  yield* Effect.gen(function* () {
    const session = yield* Session.make(agent)
    yield* session.sendText("Please open my account A-17.")
    // Succeeds when the application closes the session, and fails with the error if anything else ends it.
    yield* session.await
  }).pipe(
    Effect.catchTag("ToolFailure", (error) =>
      Console.log(`The session ended with ${error.failure._tag}: ${error.message}`)
    ),
    Effect.scoped,
    Effect.provide(model.layer)
  )
  for (const { output } of yield* model.outputs) yield* Console.log(`The model had read: ${output}`)
})

await Effect.runPromise(program)
