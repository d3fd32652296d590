import { describe, expect, it } from "vitest"
import {
  closureOf,
  importedBy,
  isNode,
  isOwn,
  layerOf,
  library,
  loadedBy,
  nameOf,
  onDemand,
  resolved,
  sources
} from "./sources.js"

type Graph = ReadonlyMap<string, ReadonlyArray<string>>

const graph: Graph = new Map(
  sources.map((file) => [
    file,
    importedBy(file)
      .filter(isOwn)
      .flatMap((specifier) => resolved(file, specifier))
  ])
)

/** What the parts of a session share: each knows it by its type, and finds the others there. */
const context = "session/Parts.ts"
const withoutContext: Graph = new Map(
  Array.from(graph, ([file, targets]) => [file, targets.filter((target) => target !== context)])
)

/** Groups of modules of which each one reaches each other. */
const circlesOf = (graph: Graph): ReadonlyArray<ReadonlyArray<string>> => {
  const reachable = new Map<string, ReadonlySet<string>>()
  for (const file of graph.keys()) {
    const found = new Set(graph.get(file))
    for (const one of found) for (const next of graph.get(one) ?? []) found.add(next)
    reachable.set(file, found)
  }
  const inCircles = [...graph.keys()].filter((file) => reachable.get(file)?.has(file))
  const circles = inCircles.map((file) =>
    inCircles.filter((other) => reachable.get(file)?.has(other) && reachable.get(other)?.has(file)).sort()
  )
  return [...new Map(circles.map((circle) => [circle.join(), circle])).values()]
}

/** What each may know of the rest, from the bottom up; all of its own, and what is common, is known to each. */
const known: Readonly<Record<string, ReadonlyArray<string>>> = {
  common: [],
  protocol: [],
  options: [],
  audio: ["protocol"],
  Protocol: ["protocol"],
  Audio: ["audio", "protocol"],
  Conversation: ["protocol"],
  realtimeModel: ["protocol"],
  RealtimeModel: ["protocol", "realtimeModel"],
  machine: ["protocol", "Conversation"],
  serving: [],
  toolError: [],
  ToolError: ["toolError"],
  tool: ["options", "protocol", "ToolError"],
  Tool: ["tool", "options"],
  JsonSchemaTool: ["options", "tool", "Tool"],
  Toolkit: ["options", "Tool"],
  mcp: ["tool", "Tool", "JsonSchemaTool"],
  Mcp: ["options", "mcp", "Tool", "JsonSchemaTool"],
  Guardrail: ["options"],
  Handoff: ["tool"],
  hostedMcp: ["protocol"],
  HostedMcp: ["protocol", "hostedMcp"],
  Agent: ["protocol", "tool", "Tool", "Guardrail", "Handoff", "HostedMcp"],
  event: ["protocol", "Conversation", "ToolError"],
  SessionEvent: ["event"],
  journal: ["protocol", "Conversation", "machine"],
  SessionJournal: ["journal", "options"],
  SessionJournalSql: ["protocol", "options", "journal", "SessionJournal"],
  sessionError: [],
  SessionError: ["protocol", "Agent", "RealtimeModel", "journal", "options", "sessionError"],
  openai: ["protocol", "realtimeModel", "RealtimeModel"],
  OpenAiRealtime: ["protocol", "options", "RealtimeModel", "openai"],
  xai: ["protocol", "realtimeModel"],
  XaiRealtime: ["options", "RealtimeModel", "openai", "xai"],
  gemini: ["protocol", "realtimeModel", "audio", "Audio"],
  GeminiLive: ["options", "RealtimeModel", "openai", "gemini"],
  embedded: ["protocol", "options", "Audio", "realtimeModel", "RealtimeModel"],
  EmbeddedRealtime: ["protocol", "options", "RealtimeModel", "embedded"],
  chatMind: ["protocol", "options", "embedded", "openai"],
  ChatMind: ["options", "embedded", "openai", "chatMind"],
  voice: ["Audio", "embedded"],
  EmbeddedVoice: ["options", "RealtimeModel", "EmbeddedRealtime", "voice"],
  ScriptedModel: ["protocol", "RealtimeModel", "EmbeddedRealtime"],
  command: ["embedded", "Agent", "EmbeddedRealtime", "EmbeddedVoice", "OpenAiRealtime", "ChatMind", "console"],
  cli: ["command"]
}

/** A session knows the core, and neither who provides its model nor who uses it. */
const core = [
  ...[
    "protocol",
    "options",
    "audio",
    "Conversation",
    "realtimeModel",
    "RealtimeModel",
    "machine",
    "toolError",
    "ToolError",
    "tool",
    "Tool"
  ],
  ...["Guardrail", "Handoff", "hostedMcp", "HostedMcp", "Agent", "event", "SessionEvent", "journal", "SessionError"]
]

const allowed: Readonly<Record<string, ReadonlyArray<string>>> = {
  ...known,
  session: core,
  Session: [...core, "session", "SessionJournal"],
  gateway: [...core, "serving", "session", "Session"],
  telephony: [...core, "serving", "session", "Session"],
  Telephony: ["telephony"],
  cluster: [...core, "session", "Session", "SessionJournal"],
  "gateway-client": ["protocol", "options", "audio", "SessionEvent", "session", "gateway"],
  calls: [...core, "openai", "session", "Session"],
  Calls: ["options", "RealtimeModel", "calls"],
  console: [...core, "serving", "gateway", "gateway-client", "Audio"],
  testing: [...core, "session", "Session", "SessionJournal", "embedded", "EmbeddedRealtime"]
}

describe("The modules", () => {
  it("do not import each other in a cycle, not even for types, except the parts of a session, which import their context", () => {
    expect(graph.size).toBeGreaterThan(150)
    expect(circlesOf(withoutContext)).toEqual([])
    const makers = sources.filter((file) =>
      loadedBy(file).some((specifier) => resolved(file, specifier).includes(context))
    )
    expect(makers, "who makes it").toEqual(["Session.ts"])
  })

  it("are reported if they do", () => {
    const circular: Graph = new Map([
      ["a", ["b"]],
      ["b", ["c", "d"]],
      ["c", ["a"]],
      ["d", ["d"]],
      ["e", ["a"]]
    ])
    expect(circlesOf(circular)).toEqual([["a", "b", "c"], ["d"]])
    expect(importedBy("tool/prepare.ts")).toContain("../ToolError.js")
    expect(importedBy("Tool.ts")).toContain("./tool/ToolCall.js")
    expect(graph.get("EmbeddedRealtime.ts")).toEqual(
      expect.arrayContaining(["embedded/serveOnNode.ts", "embedded/serveElsewhere.ts"])
    )
    expect(importedBy("embedded/serveOnNode.ts")).toContain("./serve.js")
  })

  it("import one way: protocol and machines know nobody above, providers know no session, a session no provider", () => {
    for (const [file, targets] of graph) {
      const layer = layerOf(file)
      if (layer === "index") continue
      expect(allowed, `${file} is in no layer`).toHaveProperty(layer)
      for (const target of targets) {
        expect([layer, "common", ...(allowed[layer] ?? [])], `${file} imports ${target}`).toContain(layerOf(target))
      }
    }
  })

  it("are public by their names: what all is exported from has no other", () => {
    const exported = (graph.get("index.ts") ?? []).map(nameOf).toSorted()
    const modules = sources.filter((file) => !file.includes("/")).map(nameOf)
    const apart = [
      "Calls",
      "ChatMind",
      "EmbeddedVoice",
      "GeminiLive",
      "Mcp",
      "SessionJournalSql",
      "Telephony",
      "Toolkit",
      "XaiRealtime",
      "cli",
      "cluster",
      "gateway",
      "gateway-client",
      "index",
      "testing"
    ]
    expect(exported).toEqual(modules.filter((name) => !apart.includes(name)).toSorted())
  })

  it("take nothing of Node, not even types, but for the command, and what is loaded on demand", () => {
    const reaching = library.filter((file) => importedBy(file).some(isNode))
    expect(reaching.toSorted()).toEqual(onDemand)
  })

  it("that test users' agents are not imported by any other", () => {
    const isTesting = (file: string) => layerOf(file) === "testing"
    const importers = sources.filter((file) => !isTesting(file) && graph.get(file)?.some(isTesting))
    expect(importers).toEqual([])
    expect([...closureOf("testing.ts").packages].filter(([specifier]) => isNode(specifier))).toEqual([])
  })
})
