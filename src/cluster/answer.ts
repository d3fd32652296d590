/** Carries out what other nodes ask for a call of this one. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { CallStage } from "../journal/Record.js"
import type { ApprovalNotPending, SessionClosed } from "../SessionError.js"
import { CallNotHere, CommandUnknown, TextRefused } from "./ClusterError.js"
import { type CallStatus, Command, type Envelope, type Refusal, type Reply, version } from "./Command.js"
import type { Live } from "./Held.js"
import type { Host } from "./Host.js"
import { handOver, untilQuiet } from "./handOver.js"

const decode = Schema.decodeUnknownEither(Command)

/** How long a command waits until the model's server, and the journal, have the user's words. */
const addedWithin = "10 seconds"

/** How much of what is wrong with a command is told, in characters: the command may be of any size. */
const maxReason = 500

const reasonOf = (error: ParseError): string => {
  try {
    return error.message.slice(0, maxReason)
  } catch {
    return "it nests too deeply."
  }
}

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
      const reason = envelope.version > version ? "it is of a later version." : reasonOf(command.left)
      return new CommandUnknown({ version, reason })
    }
    return held.answers.once(commandId, perform(host, held, command.right, envelope.again ?? false), host.its.scope)
  })

const done = <E>(command: Effect.Effect<void, E>): Effect.Effect<Reply, E> => Effect.as(command, { _tag: "Done" })

const perform = <E, R>(
  host: Host<E, R>,
  live: Live<E>,
  command: Command,
  again: boolean
): Effect.Effect<Reply, Refusal> => {
  const { listening, session } = live
  const { callId } = live.row
  /** Sent again, a decision may have been carried out by a node that died since: then it is done. */
  const decided = (
    decision: Decision,
    toolCallId: string,
    decide: Effect.Effect<void, SessionClosed | ApprovalNotPending>
  ) =>
    done(
      Effect.catchTag(decide, "ApprovalNotPending", (error) =>
        Effect.flatMap(again ? decisionOf(host, live, toolCallId) : Effect.succeed(undefined), (made) =>
          made === decision ? Effect.void : error
        )
      )
    )
  const performed = (): Effect.Effect<Reply, Refusal> => {
    switch (command._tag) {
      case "SendText": {
        const { itemId, text } = command
        const refused = (reason: string) => new TextRefused({ callId, itemId, reason })
        // The server could not say which event it refuses.
        if (itemId === "") return refused("The id is empty.")
        const isThere = Effect.map(session.conversation, ({ items }) => items.some(({ id }) => id === itemId))
        const said = { _tag: "Said", itemId } as const
        return listening.untilAdded(itemId, isThere, session.sendText(text, { id: itemId })).pipe(
          Effect.mapError((error) => (typeof error === "string" ? refused(error) : error)),
          Effect.as(said),
          // Without a connection to the model, the session keeps the words until it has one.
          Effect.timeoutTo({ duration: addedWithin, onSuccess: (reply) => reply, onTimeout: () => said })
        )
      }
      case "Approve":
        return decided(
          "Approved",
          command.toolCallId,
          session.approve(command.toolCallId, { always: command.always ?? false })
        )
      case "Reject":
        return decided(
          "Rejected",
          command.toolCallId,
          session.reject(command.toolCallId, command.reason, { always: command.always ?? false })
        )
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

type Decision = "Approved" | "Rejected"

/** What was decided of a tool's call, as far as the journal has it: a call that was not approved never starts. */
const decisionOf = <E, R>(
  { its: { journals } }: Host<E, R>,
  { row }: Live<E>,
  toolCallId: string
): Effect.Effect<Decision | undefined> =>
  Effect.map(
    Effect.orElseSucceed(journals.read(row.sessionId), () => []),
    (records) => {
      const stages = records
        .flatMap((record): ReadonlyArray<{ readonly callId: string; readonly stages: ReadonlyArray<CallStage> }> => {
          if (record._tag === "Snapshot") return record.calls
          return record._tag === "CallTransition" ? [{ callId: record.callId, stages: [record.to] }] : []
        })
        .flatMap((call) => (call.callId === toolCallId ? call.stages.map(({ _tag }) => _tag) : []))
      if (stages.includes("Started")) return "Approved"
      return stages.includes("Settled") ? "Rejected" : undefined
    }
  )

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
