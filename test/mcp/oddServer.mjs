/**
 * An MCP server on standard input and output that behaves as its first argument says. The second one is a file in which
 * it counts its lives.
 */
import { appendFileSync, readFileSync } from "node:fs"
import { createInterface } from "node:readline"

const [, , kind = "plain", file = ""] = process.argv

const lives = () => readFileSync(file, "utf8").length
if (file !== "") appendFileSync(file, "x")
if (kind === "exits" || (kind === "dies for good" && lives() > 1)) process.exit(1)

const send = (message) => console.log(JSON.stringify({ jsonrpc: "2.0", ...message }))
const tool = (name, more = {}) => ({ name, inputSchema: { type: "object", properties: {} }, ...more })
const text = (value) => ({ content: [{ type: "text", text: value }] })

let grown = false

/** A page of tools, from an index on. */
const list = (cursor) => {
  switch (kind) {
    case "lists many": {
      const from = Number(cursor ?? 0)
      const tools = Array.from({ length: 100 }, (_, index) => tool(`tool_${from + index}`))
      return { tools, ...(from < 400 ? { nextCursor: String(from + 100) } : {}) }
    }
    case "lists without end":
      return { tools: [], nextCursor: String(Number(cursor ?? 0) + 1) }
    case "lists nonsense":
      return {
        tools: [
          null,
          { inputSchema: { type: "object" } },
          tool("without", { inputSchema: undefined }),
          tool("twin", { description: "the first" }),
          tool("twin", { description: "the second" }),
          tool("wrong", { inputSchema: { type: "object", properties: { n: { type: "number", minimum: "1" } } } }),
          tool("odd", { outputSchema: { type: "object", properties: { n: { pattern: "(" } } } }),
          tool("task", { execution: { taskSupport: "required" } }),
          tool("long", { inputSchema: { type: "object", description: "x".repeat(100_001) } }),
          tool("a.b"),
          tool("a b"),
          tool("good", { annotations: { readOnlyHint: true, destructiveHint: "no" } })
        ]
      }
    default:
      return {
        tools: [tool("pid"), tool("die"), tool("hang"), tool("grow"), tool("env"), ...(grown ? [tool("new")] : [])]
      }
  }
}

const call = (id, name) => {
  switch (name) {
    case "die":
      return process.exit(1)
    case "hang":
      return
    case "grow":
      grown = true
      send({ method: "notifications/tools/list_changed" })
      return send({ id, result: text("grown") })
    case "env":
      return send({ id, result: text(Object.keys(process.env).toSorted().join()) })
    case "pid":
      return send({ id, result: text(String(process.pid)) })
    case "new":
      return send({ id, result: text("new") })
    default:
      return send({ id, error: { code: -32602, message: `Unknown tool: ${name}` } })
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line)
  if (kind === "is silent") return
  if (kind === "prints junk") console.log("Listening!\n{ not json\n[]")
  switch (method) {
    case "initialize": {
      const { protocolVersion } = params
      const capabilities = { tools: { listChanged: true } }
      return send({ id, result: { protocolVersion, capabilities, serverInfo: { name: "odd", version: "1" } } })
    }
    case "tools/list":
      if (kind === "lists nothing") return send({ id, error: { code: -32603, message: "No list today." } })
      return send({ id, result: list(params?.cursor) })
    case "tools/call":
      return call(id, params.name)
  }
})
