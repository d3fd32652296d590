import { forgetOldest } from "../common/forgetOldest.js"
import type { McpListToolsItem } from "../protocol/Item.js"
import type { ToolConfig } from "../protocol/ToolConfig.js"

/** What a session gives to this part of it. */
export interface Host {
  /** Milliseconds, on a clock that never goes back. */
  readonly now: () => number
  /** How long a list may take, in milliseconds. */
  readonly timeout: number
  readonly failed: (server: string | undefined, by: "server" | "deadline") => void
  /** Nothing is pending any more. */
  readonly settled: () => void
}

/** The lists of tools that the provider reads from hosted servers, as far as a turn waits for them. */
export interface Imports {
  /** The server has these settings now, and reads the lists that are new to it. */
  readonly expected: (tools: ReadonlyArray<ToolConfig>) => void
  readonly progressed: (itemId: string, state: "InProgress" | "Completed" | "Failed") => void
  /** The item that a list becomes. `isDone`: it has the list. */
  readonly listed: (item: McpListToolsItem, isDone: boolean) => void
  /** Whether a turn would be without some of the tools. */
  readonly isPending: () => boolean
  /** Calls the function when nothing is pending: now, or later. */
  readonly whenSettled: (settled: () => void) => void
  /** `livesOn`: the server keeps what it has read. */
  readonly disconnected: (livesOn: boolean) => void
  readonly deadline: () => number | undefined
  readonly timePassed: () => void
}

interface Import {
  /** The settings of the server, as text. */
  readonly config: string
  until: number
  /** Whether the provider must read the list, or has begun to. It may still know one that it read before. */
  isCertain: boolean
}

interface ListItem {
  label: string | undefined
  /** The settings of the server when the item was first seen. */
  config: string | undefined
  /** Whether it was begun before the lists that are awaited now. */
  isEarlier: boolean
  isDone: boolean
  end: "Completed" | "Failed" | undefined
}

/** Far more than the servers of an agent. The oldest give way. */
const maxItems = 256

/** How long the provider may take to say that it reads a list again which it has read before. Milliseconds. */
const beginsWithin = 500

/**
 * A turn that begins before a list was read has no tools of that server. So requests for responses wait until each list
 * was read, could not be read, or took too long.
 */
export class HostedImports implements Imports {
  readonly #host: Host

  /** By label. */
  readonly #open = new Map<string, Import>()
  readonly #items = new Map<string, ListItem>()
  /** The settings of the servers whose lists were read on this connection. */
  readonly #known = new Map<string, string>()
  #waiting: Array<() => void> = []

  constructor(host: Host) {
    this.#host = host
  }

  expected(tools: ReadonlyArray<ToolConfig>): void {
    this.#open.clear()
    for (const item of this.#items.values()) item.isEarlier = true
    for (const tool of tools) {
      if (tool.type !== "mcp") continue
      const config = JSON.stringify(tool)
      const isCertain = this.#known.get(tool.server_label) !== config
      this.#open.set(tool.server_label, { config, isCertain, until: this.#until(isCertain) })
    }
    this.#settled()
  }

  progressed(itemId: string, state: "InProgress" | "Completed" | "Failed"): void {
    const item = this.#item(itemId)
    if (state === "InProgress") {
      // It may be about any server whose item is not known.
      for (const [label, open] of this.#open) {
        if (item.label === undefined || item.label === label) this.#begun(open)
      }
      return
    }
    item.end = state
    if (state === "Failed") {
      const [only] = this.#open.size === 1 && !item.isEarlier ? this.#open.keys() : []
      item.label ??= only
      this.#host.failed(item.label, "server")
    }
    this.#ended(item)
  }

  listed({ id, server_label: label }: McpListToolsItem, isDone: boolean): void {
    if (typeof id !== "string") return
    const item = this.#item(id)
    item.label = label
    item.isDone ||= isDone
    const open = this.#open.get(label)
    item.config ??= open?.config
    if (open !== undefined) this.#begun(open)
    this.#ended(item)
  }

  isPending(): boolean {
    return this.#open.size > 0
  }

  whenSettled(settled: () => void): void {
    if (this.isPending()) this.#waiting.push(settled)
    else settled()
  }

  disconnected(livesOn: boolean): void {
    this.#items.clear()
    if (!livesOn) this.#known.clear()
    // Another connection reads them anew: nothing has failed.
    for (const open of this.#open.values()) open.isCertain = false
  }

  deadline(): number | undefined {
    if (this.#open.size === 0) return undefined
    return Math.min(...Array.from(this.#open.values(), ({ until }) => until))
  }

  timePassed(): void {
    const now = this.#host.now()
    for (const [label, { isCertain, until }] of Array.from(this.#open)) {
      if (until > now) continue
      this.#open.delete(label)
      if (isCertain) this.#host.failed(label, "deadline")
    }
    this.#settled()
  }

  #until(isCertain: boolean): number {
    return this.#host.now() + (isCertain ? this.#host.timeout : beginsWithin)
  }

  #begun(open: Import): void {
    if (open.isCertain) return
    open.isCertain = true
    open.until = this.#until(true)
  }

  #item(itemId: string): ListItem {
    const known = this.#items.get(itemId)
    if (known !== undefined) return known
    const item: ListItem = { label: undefined, config: undefined, isEarlier: false, isDone: false, end: undefined }
    this.#items.set(itemId, item)
    forgetOldest(this.#items, maxItems)
    return item
  }

  /** A list is there when both its item and its end were seen, in either order. */
  #ended({ config, end, isDone, label }: ListItem): void {
    if (end === undefined || (end === "Completed" && !isDone)) return
    if (label !== undefined) {
      const open = this.#open.get(label)
      // A list that was begun before the settings of its server changed is not the one that is awaited.
      if (open === undefined || open.config !== (config ?? open.config)) return
      this.#open.delete(label)
      if (end === "Completed") this.#known.set(label, open.config)
    } else {
      // The server does not say which of them failed: if all that are left did, there is nothing to wait for.
      const failed = Array.from(this.#items.values()).filter(
        (item) => item.end === "Failed" && item.label === undefined && !item.isEarlier
      )
      if (failed.length >= this.#open.size) this.#open.clear()
    }
    this.#settled()
  }

  #settled(): void {
    if (this.isPending()) return
    for (const settled of this.#waiting.splice(0)) settled()
    this.#host.settled()
  }
}
