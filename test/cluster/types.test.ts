import type { Sharding } from "@effect/cluster/Sharding"
import { expectTypeOf, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Agent from "../../src/Agent.js"
import type { Door } from "../../src/cluster/Door.js"
import { type CallDirectory, CallHost, type Calls, type ClusterError, ClusterNode } from "../../src/cluster.js"
import type { RealtimeModel } from "../../src/RealtimeModel.js"
import type * as Session from "../../src/Session.js"
import type { ApprovalNotPending } from "../../src/SessionError.js"
import type { SessionJournal } from "../../src/SessionJournal.js"
import * as Tool from "../../src/Tool.js"

class NoRoom extends Schema.TaggedError<NoRoom>()("NoRoom", {}) {}
class Books extends Context.Tag("test/Books")<Books, { readonly rooms: number }>() {}

const book = Tool.make("book", {
  description: "",
  failure: NoRoom,
  handler: () => Effect.flatMap(Books, ({ rooms }) => (rooms > 0 ? Effect.succeed("Booked.") : new NoRoom()))
})
const agent = Agent.make("Desk", { instructions: "", tools: [book] })
const address = { host: "127.0.0.1", port: 1 }

it("A node requires what its agent's tools require, and what it stands on", () => {
  const node = ClusterNode.layer(agent, { address })
  expectTypeOf<Layer.Layer.Context<typeof node>>().toEqualTypeOf<
    Books | Sharding | CallDirectory.CallDirectory | RealtimeModel | SessionJournal
  >()
  expectTypeOf<Layer.Layer.Success<typeof node>>().toEqualTypeOf<CallHost.CallHost | Calls.Calls | Door>()
  expectTypeOf<Layer.Layer.Context<typeof ClusterNode.layerClient>>().toEqualTypeOf<
    Sharding | CallDirectory.CallDirectory
  >()
})

it("The sessions of a host that is made for an agent have the failures of its tools", () => {
  const host = CallHost.make(agent, { address })
  expectTypeOf<Effect.Effect.Success<typeof host>>().toEqualTypeOf<CallHost.Service<NoRoom>>()
  expectTypeOf<Effect.Effect.Context<typeof host>>().toEqualTypeOf<
    Books | Scope.Scope | Door | CallDirectory.CallDirectory | RealtimeModel | SessionJournal
  >()
  expectTypeOf<CallHost.Service<NoRoom>["adopt"]>().returns.toEqualTypeOf<
    Effect.Effect<Session.Session<NoRoom>, CallHost.AdoptError>
  >()
})

it("A command fails with the session's own errors, and with those of the way to it", () => {
  expectTypeOf<Calls.Call["approve"]>().returns.toEqualTypeOf<
    Effect.Effect<void, Calls.CallError | ApprovalNotPending>
  >()
  expectTypeOf<Calls.Call["close"]>().toEqualTypeOf<
    Effect.Effect<void, ClusterError.CallUnknown | ClusterError.CallUnreachable | ClusterError.CommandUnknown>
  >()
})
