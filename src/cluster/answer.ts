/** Carries out what other nodes ask for a call of this one. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { CallNotHere, CommandUnknown } from "./ClusterError.js"
import { type CallStatus, Command, type Envelope, type Refusal, type Reply, version } from "./Command.js"
import type { Live } from "./Held.js"
import type { Host } from "./Host.js"
import { handOver, untilQuiet } from "./handOver.js"

const decode = Schema.decodeUnknownEither(Command)

/** How long a command waits until the model's server, and the journal, have the user's words. */
const addedWithin = "10 seconds"

export const carry = <E, R>(host: Host<E, R>, envelope: Envelope): Effect.Effect<Reply, Refusal> =>
  Effect.suspend((): Effect.Effect<Reply, Refusal> => {
    const { callId, commandId } = envelope
    const held = host.calls.get(callId)
    // Another node may have the call, and this one may not know yet.
    if (held?._tag !== "Live" || host.hasLapsed()) {
      return new CallNotHere({ callId, moving: held !== undefined && held._tag !== "Over" })
    }
    const command = decode(envelope.command)
    if (Either.isLeft(command)) {
      const reason = envelope.version > version ? "it is of a later version." : command.left.message
      return new CommandUnknown({ version, reason })
    }
    return held.answers.once(commandId, perform(host, held, command.right), host.its.scope)
  })

const done = <E>(command: Effect.Effect<void, E>): Effect.Effect<Reply, E> => Effect.as(command, { _tag: "Done" })

const perform = <E, R>(host: Host<E, R>, live: Live<E>, command: Command): Effect.Effect<Reply, Refusal> => {
  const { listening, session } = live
  const { callId } = live.row
  const performed = (): Effect.Effect<Reply, Refusal> => {
    switch (command._tag) {
      case "SendText": {
        const { itemId, text } = command
        const isThere = Effect.map(session.conversation, ({ items }) => items.some(({ id }) => id === itemId))
        const said = { _tag: "Said", itemId } as const
        return listening.untilAdded(itemId, isThere, session.sendText(text, { id: itemId })).pipe(
          Effect.as(said),
          // Without a connection to the model, the session keeps the words until it has one.
          Effect.timeoutTo({ duration: addedWithin, onSuccess: (reply) => reply, onTimeout: () => said })
        )
      }
      case "Approve":
        return done(session.approve(command.toolCallId, { always: command.always ?? false }))
      case "Reject":
        return done(session.reject(command.toolCallId, command.reason, { always: command.always ?? false }))
      case "Interrupt":
        return done(session.interrupt)
      case "UpdateAgent":
        return done(session.updateAgent(command.agent))
      case "Close":
        listening.ends()
        return done(session.close)
      case "Status":
        return Effect.map(status(host, live), (status) => ({ _tag: "Reported", status }) as const)
      case "HandOver":
        return done(
          Effect.zipRight(
            untilQuiet(live, host.its.options.drain.toolsWithinMs),
            Effect.suspend(() => handOver(host, live, Effect.succeed(command.toNodeId)))
          )
        )
    }
  }
  // A session that is closed here may go on elsewhere: the directory knows.
  return Effect.catchTag(performed(), "SessionClosed", () => new CallNotHere({ callId, moving: true }))
}

const status = <E, R>(host: Host<E, R>, { row, session }: Live<E>): Effect.Effect<CallStatus> =>
  Effect.gen(function* () {
    const { items } = yield* session.conversation
    const pending = yield* session.pendingApprovals
    return {
      nodeId: host.nodeId,
      epoch: row.epoch,
      agent: yield* session.agent,
      items: items.length,
      pendingApprovals: pending.map(({ call, deadline }) => ({
        toolCallId: call.callId,
        tool: call.tool,
        agent: call.agent,
        arguments: call.arguments,
        deadline
      }))
    }
  })
