import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Agent from "../Agent.js"
import type { Item } from "../Conversation.js"
import * as Fold from "../journal/Fold.js"
import type { JournalRecord } from "../journal/Record.js"
import type { Service } from "../journal/Service.js"
import type { ItemParam } from "../protocol/ItemParam.js"
import type { RealtimeModel } from "../RealtimeModel.js"
import * as Session from "../Session.js"
import { SessionJournal } from "../SessionJournal.js"
import type { Beginning, Program } from "./Program.js"

/** The id of the session that another process left. */
const sessionId = "ses_of_a_process_that_died"

/** The id of an item that the session begins with. */
export const idAt = (index: number): string => `item_told_${index}`

const itemOf = (param: ItemParam, index: number): ReadonlyArray<Item> => {
  const id = idAt(index)
  switch (param.type) {
    case "message": {
      const content = param.content.flatMap((part) =>
        "text" in part ? [{ _tag: "Text" as const, text: part.text }] : []
      )
      return [{ _tag: "Message", id, role: param.role, status: "completed", content }]
    }
    case "function_call":
      return [
        {
          _tag: "FunctionCall",
          id,
          callId: param.call_id ?? id,
          name: param.name,
          arguments: param.arguments,
          status: "completed"
        }
      ]
    case "function_call_output":
      return [{ _tag: "FunctionCallOutput", id, callId: param.call_id, output: param.output }]
    default:
      return []
  }
}

type Resumed = Extract<Beginning, { readonly _tag: "Resumed" }>

/** The call of a hosted tool that the process left: the first item that the server made. */
export const hostedLeft = ({ hosted }: Resumed): ReadonlyArray<Extract<Item, { readonly _tag: "Other" }>> => {
  if (hosted === undefined) return []
  const id = "item_rtc_1_1"
  const call = { id, server_label: "host", name: "a_hosted_tool", arguments: "{}" }
  const type = hosted === "asked" ? "mcp_approval_request" : "mcp_call"
  return [{ _tag: "Other", id, type, item: { ...call, type, ...(hosted === "asked" ? {} : { output: "found" }) } }]
}

/** The records of the process that died. */
const recordsOf = (agent: Agent.Any, beginning: Resumed): ReadonlyArray<JournalRecord> => {
  const { items, leftCalls } = beginning
  const outputs = new Map(
    items.flatMap((item) => (item.type === "function_call_output" ? [[item.call_id, item.output] as const] : []))
  )
  const callOf = (item: Item): ReadonlyArray<JournalRecord> => {
    if (item._tag !== "FunctionCall") return []
    const { callId, id } = item
    const output = outputs.get(callId)
    const to = (stage: Extract<JournalRecord, { readonly _tag: "CallTransition" }>["to"]): JournalRecord => ({
      _tag: "CallTransition",
      callId,
      to: stage
    })
    const arrived = to({
      _tag: "Arrived",
      itemId: id,
      responseId: undefined,
      agent: agent.name,
      tool: item.name,
      arguments: item.arguments
    })
    const stage = output === undefined ? leftCalls : "Settled"
    if (stage === "Arrived") return [arrived]
    const started = to({ _tag: "Started" })
    if (stage === "Started") return [arrived, started]
    const settled = to({ _tag: "Settled", output: output ?? "what was not sent", reply: true })
    return output === undefined
      ? [arrived, started, settled]
      : [arrived, started, settled, to({ _tag: "Acknowledged" })]
  }
  return [
    { _tag: "SessionOpened", sessionId, agent: agent.name, at: 0 },
    ...items
      .flatMap(itemOf)
      .flatMap((item): ReadonlyArray<JournalRecord> => [{ _tag: "ItemFinal", item }, ...callOf(item)]),
    ...hostedLeft(beginning).map((item): JournalRecord => ({ _tag: "ItemFinal", item }))
  ]
}

/** Begins a session as the program says. */
export const begin = <E, R>(
  agent: Agent.Agent<E, R>,
  { beginning, journal: mode }: Pick<Program, "beginning" | "journal">,
  journal: Service,
  given: Session.Options
): Effect.Effect<Session.Session<E>, never, Scope.Scope | RealtimeModel | R> =>
  Effect.gen(function* () {
    const options: Session.Options = {
      // So small that the journal is compacted over and over.
      journalCompactAfter: 500,
      ...given,
      journal: mode === "required" ? "required" : "preferred"
    }
    const made = Session.make(agent, options)
    const written = mode === "none" ? made : Effect.provideService(made, SessionJournal, journal)
    switch (beginning._tag) {
      case "Afresh":
        return yield* written
      case "Edited": {
        const session = yield* written
        yield* session.editConversation(() => ({ items: beginning.items.flatMap(itemOf) }))
        return session
      }
      case "Resumed": {
        const records = recordsOf(agent, beginning)
        const fold = Fold.make()
        for (const record of records) fold.apply(record)
        yield* journal.open(sessionId).pipe(
          // As single records, or as a snapshot.
          Effect.flatMap(({ append, replace }) =>
            records.length % 2 === 0 ? append(records) : replace(fold.snapshot())
          ),
          Effect.scoped
        )
        const resumed = Session.resume(agent, sessionId, options)
        return yield* Effect.provideService(resumed, SessionJournal, journal)
      }
    }
  }).pipe(Effect.orDie)
