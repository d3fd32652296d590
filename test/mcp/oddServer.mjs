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

if (kind === "complains") {
  console.error(`\u001b[31mThe key ${process.env.KEY} is not valid.\u001b[0m\nGet another one.`)
  process.exit(1)
}
// In pieces, each of which is read by itself, of which the last ones begin and end within the key.
if (kind === "complains at length") {
  const bytes = Buffer.from(`The key is wrong: ${`${process.env.KEY} `.repeat(60)}${process.env.KEY.slice(0, -2)}`)
  const size = 401
  for (let at = 0; at < bytes.length; at += size) {
    process.stderr.write(bytes.subarray(at, at + size))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  process.exit(1)
}
// It does not end by itself when its client leaves.
if (kind === "lingers") setInterval(() => {}, 1000)

/** So deep that writing it as JSON overflows the stack. */
const deep = `${'{"properties":{"a":'.repeat(20_000)}{}${"}}".repeat(20_000)}`
const send = (message) => console.log(JSON.stringify({ jsonrpc: "2.0", ...message }).replace('"DEEP"', deep))
const tool = (name, more = {}) => ({ name, inputSchema: { type: "object", properties: {} }, ...more })
const text = (value) => ({ content: [{ type: "text", text: value }] })

let grown = false
let lists = 0
/** What the client answered to this server's own requests. */
const answers = []

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
    case "lists too much":
      return { tools: Array.from({ length: 6_000 }, () => ({ name: "" })), nextCursor: String(Number(cursor ?? 0) + 1) }
    case "lists other tools each time":
      lists += 1
      send({ method: "notifications/tools/list_changed" })
      return { tools: [tool("lists"), tool(`tool_${lists}`)] }
    case "lists what is hard to read": {
      const cyclic = { $defs: { a: { $ref: "#/$defs/a" } }, type: "object", properties: { a: { $ref: "#/$defs/a" } } }
      const names = ["x".repeat(100_000), "工具", "tool\u0000", "\ud83d", "__proto__", "constructor", "pid"]
      const strange = [tool("cyclic", { inputSchema: cyclic }), tool("deep", { inputSchema: { a: "DEEP" } })]
      return { tools: [...strange, ...names.map((name) => tool(name))] }
    }
    case "lists its key": {
      const { API_KEY } = process.env
      const properties = { a: { type: "string", description: `not ${API_KEY}` } }
      const inputSchema = { type: "object", properties }
      return { tools: [tool("f", { description: `It uses ${API_KEY}.`, inputSchema })] }
    }
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
        tools: [
          ...["pid", "die", "hang", "grow", "env", ...(grown ? ["new"] : [])].map((name) => tool(name)),
          ...(kind === "misbehaves"
            ? [
                ...["report", "flood", "twice", "leak", "fail", "endless", "link", "deep", "ask", "answers"],
                ...["slow", "404", "410", "-32000", "tell"]
              ].map((name) => tool(name))
            : [])
        ]
      }
  }
}

const progress = (progressToken, count) =>
  Array.from({ length: count }, (_, index) => ({
    jsonrpc: "2.0",
    method: "notifications/progress",
    params: { progressToken, progress: index + 1, message: `step ${index + 1}` }
  }))
const lines = (messages) => messages.map((message) => `${JSON.stringify(message)}\n`).join("")

const call = (id, name, token) => {
  switch (name) {
    case "report":
      // In one piece with the result.
      return process.stdout.write(lines([...progress(token, 3), { jsonrpc: "2.0", id, result: text("reported") }]))
    case "flood":
      return process.stdout.write(
        lines([...progress(token, 10_000), { jsonrpc: "2.0", id, result: text("flooded") }, ...progress("over", 100)])
      )
    case "twice":
      send({ id, result: text("once") })
      return send({ id, result: text("twice") })
    case "leak":
      return send({ id, error: { code: -32603, message: `${process.env.API_KEY} ${"x".repeat(100_000)}` } })
    case "fail":
      return send({ id, result: { ...text(`It failed with ${process.env.API_KEY}.`), isError: true } })
    case "endless":
      process.stdout.write("x".repeat(11_000_000))
      return
    case "link": {
      const part = (more) => ({ type: "resource_link", name: "n", ...more })
      const nothing = { toString: 1, valueOf: 1 }
      return send({ id, result: { content: [part({ uri: nothing }), { type: nothing }, null, 5, { type: "text" }] } })
    }
    case "deep":
      return send({ id, result: { content: [], structuredContent: { a: "DEEP" } } })
    case "ask":
      for (const method of ["sampling/createMessage", "elicitation/create", "roots/list", "ping"]) {
        send({ id: `q_${method}`, method, params: {} })
      }
      return
    case "answers":
      return send({ id, result: text(answers.join()) })
    case "lists":
      return send({ id, result: text(String(lists)) })
    case "tell": {
      const { API_KEY } = process.env
      const more = { progress: 1, total: 2, message: `using ${API_KEY}`, _meta: { [`of ${API_KEY}`]: [API_KEY] } }
      send({ method: "notifications/progress", params: { progressToken: token, ...more } })
      send({ method: "notifications/progress", params: { progressToken: token, progress: 2, deep: "DEEP" } })
      return send({ id, result: { content: [], structuredContent: { used: [API_KEY] } } })
    }
    case "404":
    case "410":
    case "-32000":
      return send({ id, error: { code: Number(name), message: "No such order" } })
    case "slow":
      return setTimeout(() => send({ id, result: text("slow, but here") }), 500)
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
  const { error, id, method, params, result } = JSON.parse(line)
  if (method === undefined) answers.push(`${id}:${error?.code ?? JSON.stringify(result)}`)
  if (kind === "is silent") return
  if (kind === `dies at ${method}`) process.exit(1)
  if (kind === `answers ${method} with junk`) return send({ id, result: { tools: "none" } })
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
      return call(id, params.name, params._meta?.progressToken)
  }
})
