/** The end of a client that the application has, and whose `onclose` it may use itself. */
import type { Client } from "@modelcontextprotocol/sdk/client/index.js"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

interface Hook {
  /** What the client calls in place of the application's own. */
  readonly call: () => void
  readonly own: Client["onclose"]
  readonly watchers: Set<() => void>
}

/** One for each client: hooks upon hooks could only be taken away in the opposite order. */
const hooks = new WeakMap<Client, Hook>()

/** Tells of each time that the client is closed, as long as the scope lasts. The application's own `onclose` is called too. */
export const onClose = (client: Client, watcher: () => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => {
        const hook = hookOf(client)
        hook.watchers.add(watcher)
        return hook
      }),
      (hook) =>
        Effect.sync(() => {
          hook.watchers.delete(watcher)
          if (hook.watchers.size === 0) putBack(client, hook)
        })
    )
  )

const hookOf = (client: Client): Hook => {
  const known = hooks.get(client)
  if (known !== undefined && client.onclose === known.call) return known
  const own = client.onclose
  const watchers = new Set<() => void>()
  const call = (): void => {
    for (const watcher of watchers) watcher()
    own?.call(client)
  }
  const hook = { call, own, watchers }
  client.onclose = call
  hooks.set(client, hook)
  return hook
}

/** What the application has set meanwhile stays. */
const putBack = (client: Client, { call, own }: Hook): void => {
  if (client.onclose !== call) return
  hooks.delete(client)
  if (own === undefined) delete client.onclose
  else client.onclose = own
}
