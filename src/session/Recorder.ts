import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Item } from "../Conversation.js"
import type { JournalBusy, JournalCorrupt, JournalFailed } from "../journal/JournalError.js"
import type { CallStage, JournalRecord, Settings } from "../journal/Record.js"
import type { Service, Writer } from "../journal/Service.js"
import { forgetOldest } from "../machine/forgetOldest.js"
import { quietly } from "../tool/quietly.js"

/**
 * Writes what becomes of a session into its journal, before anybody hears of it: a call is there before its handler runs,
 * its output before the model reads it, an item before the application is told. Without a journal, it does nothing.
 */
export interface Recorder {
  /** Whether what happens has to be written first. */
  readonly isOn: () => boolean
  readonly opened: (agent: string, at: number) => void
  readonly settings: (agent: string, settings: Settings) => void
  /** The item is final, for now. `previousItemId`: the one before it, or `"root"`. */
  readonly item: (item: Item, previousItemId: string | undefined) => void
  readonly removed: (itemId: string) => void
  readonly call: (callId: string, to: CallStage) => void
  /** The last record, past the outbox: nothing is written behind it, and others may open the journal. */
  readonly ended: (reason: string, at: number) => Effect.Effect<void>
}

/** A session's hold of its journal. */
export interface Writing {
  readonly writer: Writer
  readonly release: Effect.Effect<void>
}

/** Until it is released, or the scope closes: a session may end long before its scope does. */
export const open = (
  journal: Service,
  sessionId: string
): Effect.Effect<Writing, JournalBusy | JournalCorrupt | JournalFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const writer = yield* Scope.extend(journal.open(sessionId), scope)
    return { writer, release: Scope.close(scope, Exit.void) }
  })

export interface Environment {
  readonly writing: Writing | undefined
  readonly sessionId: string
  readonly run: (effect: Effect.Effect<unknown>) => void
  /** Called once, when the journal can not be written any more. */
  readonly failed: (message: string) => void
}

/** How long a record may take. A journal that is slower than that holds up the call. */
const within = "5 seconds"

/** Items whose last record is remembered, so that an item that is announced twice is written once. */
const maxRemembered = 64

export const make = ({ failed, run, sessionId, writing }: Environment): Recorder => {
  const writer = writing?.writer
  const last = new Map<string, string>()
  let isOn = writer !== undefined

  const append = (record: JournalRecord): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (writer === undefined || !isOn) return Effect.void
      return quietly((theirs) =>
        theirs(Effect.suspend(() => writer.append([record]))).pipe(
          Effect.disconnect,
          Effect.timeoutFail({
            duration: within,
            onTimeout: () => ({ message: "A record took longer than 5 seconds." })
          })
        )
      ).pipe(
        Effect.catchAllDefect(() => Effect.fail({ message: "The journal failed for an internal reason." })),
        Effect.catchAll(({ message }) =>
          Effect.sync(() => {
            // With a hole in it, it would tell another story.
            isOn = false
            failed(message)
          })
        )
      )
    })

  // A record that takes for ever holds its storage as long, and must not hold the session too.
  const released = writing === undefined ? Effect.void : Effect.interruptible(Effect.disconnect(writing.release))

  const write = (record: JournalRecord): void => {
    if (isOn) run(append(record))
  }

  return {
    isOn: () => isOn,
    opened: (agent, at) => write({ _tag: "SessionOpened", sessionId, agent, at }),
    settings: (agent, settings) => write({ _tag: "SettingsConfirmed", agent, settings }),
    item: (item, previousItemId) => {
      if (!isOn) return
      const text = textOf([item, previousItemId])
      // What nests too deeply to be written could be told to no server either.
      if (text === undefined) return
      if (last.get(item.id) === text) return
      last.delete(item.id)
      last.set(item.id, text)
      forgetOldest(last, maxRemembered)
      write({ _tag: "ItemFinal", item, ...(previousItemId === undefined ? {} : { previousItemId }) })
    },
    removed: (itemId) => {
      // An item that is made again, as it was, is another one.
      last.delete(itemId)
      write({ _tag: "ItemRemoved", itemId })
    },
    call: (callId, to) => write({ _tag: "CallTransition", callId, to }),
    ended: (reason, at) =>
      Effect.zipRight(append({ _tag: "SessionEnded", reason, at }), Effect.timeoutOption(released, within))
  }
}

const textOf = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
