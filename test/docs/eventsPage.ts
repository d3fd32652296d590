import * as AST from "effect/SchemaAST"
import { Item } from "../../src/Conversation.js"
import { LogProb, TranscriptionUsage } from "../../src/protocol/ConversationEvent.js"
import { Metadata } from "../../src/protocol/fields.js"
import { Usage } from "../../src/protocol/Response.js"
import * as SessionEvent from "../../src/SessionEvent.js"
import { ToolError } from "../../src/ToolError.js"
import { commentsOf, type Documented } from "./comments.js"

/** The order of the table; within a group, that of the source. */
const groups = [
  ["The session", "Lifecycle"],
  ["The conversation", "Conversation"],
  ["Responses", "Response"],
  ["Calls", "Call"],
  ["The connection", "Connection"]
] as const

/** Types that have a name. */
const names = new Map<AST.AST, string>([
  [Item.ast, "Item"],
  [SessionEvent.CallInfo.ast, "CallInfo"],
  [SessionEvent.Snapshot.ast, "Snapshot"],
  [SessionEvent.ResponseCause.ast, "ResponseCause"],
  [ToolError.ast, "ToolError"],
  [Usage.ast, "Usage"],
  [TranscriptionUsage.ast, "TranscriptionUsage"],
  [LogProb.ast, "LogProb"],
  [Metadata.ast, "Metadata"]
])

const typeOf = (ast: AST.AST): string => {
  const name = names.get(ast)
  if (name !== undefined) return name
  switch (ast._tag) {
    case "Union":
      return ast.types
        .filter((type) => !AST.isUndefinedKeyword(type))
        .map(typeOf)
        .join(" | ")
    case "TupleType":
      return `Array<${ast.rest.map(({ type }) => typeOf(type)).join()}>`
    case "TypeLiteral":
      return structOf(ast)
    case "Transformation":
      return typeOf(ast.to)
    case "Declaration":
      return `${String(ast).split("(")[0]}<${ast.typeParameters.map(typeOf).join()}>`
    default:
      return String(ast)
  }
}

const isOptional = ({ isOptional, type }: AST.PropertySignature): boolean =>
  isOptional || (AST.isUnion(type) && type.types.some(AST.isUndefinedKeyword))

const fieldOf = (field: AST.PropertySignature): string =>
  `${String(field.name)}${isOptional(field) ? "?" : ""}: ${typeOf(field.type)}`

const code = (text: string): string => `\`${text}\``

const cell = (text: string): string => text.replaceAll("|", "\\|")

const fieldsOf = (ast: AST.AST): ReadonlyArray<AST.PropertySignature> =>
  AST.getPropertySignatures(AST.isTransformation(ast) ? ast.to : ast).filter(({ name }) => name !== "_tag")

const structOf = (ast: AST.AST): string => `{ ${AST.getPropertySignatures(ast).map(fieldOf).join("; ")} }`

const tagOf = (ast: AST.AST): string => {
  const tag = AST.getPropertySignatures(ast).find(({ name }) => name === "_tag")?.type
  return tag !== undefined && AST.isLiteral(tag) ? String(tag.literal) : ""
}

const events = new Map(SessionEvent.SessionEvent.members.map(({ ast }) => [tagOf(ast), ast] as const))

type Row = readonly [event: string, text: string, fields: string]

/** As the formatter wants it: columns as wide as their widest cell. */
const aligned = (rows: ReadonlyArray<Row>): string => {
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`
  const [head = "", ...rest] = rows.map((row) => line(row.map((text, column) => text.padEnd(widths[column] ?? 0))))
  return [head, line(widths.map((width) => "-".repeat(width))), ...rest].join("\n")
}

const row = (tag: string, ast: AST.AST, { fields, text }: Documented): Row => {
  if (text === undefined) throw new Error(`${tag} has no comment. Say above it, in src/event, what has happened.`)
  const lines = fieldsOf(ast).map((field) => `${code(fieldOf(field))} ${fields.get(String(field.name)) ?? ""}`.trim())
  return [code(tag), cell(text), cell(lines.join("<br>"))]
}

/** What several modules spread into their events. */
const spread = commentsOf("src/protocol/withheld.ts")

const rowsOf = (title: string, module: string): ReadonlyArray<Row> => [
  [`**${title}**`, "", ""],
  ...Array.from(commentsOf(`src/event/${module}Events.ts`, spread)).flatMap(([name, documented]) => {
    const ast = events.get(name)
    return ast === undefined ? [] : [row(name, ast, documented)]
  })
]

const rows = groups.flatMap(([title, module]) => rowsOf(title, module))

/** Every event that a session publishes, as it stands in the schemas and the comments above them. */
export const eventsPage = (): string => {
  const missing = Array.from(events.keys()).filter((tag) => !rows.some(([event]) => event === code(tag)))
  if (missing.length > 0) throw new Error(`Not found in src/event: ${missing.join(", ")}.`)
  return `${intro}
${aligned([["event", "what has happened", "fields"], ...rows])}

${outro}`
}

const intro = `<!-- Written by \`npm run docs:events\` from the schemas and comments in src/event. Change them, not this page. -->

# Events

A session publishes an event for everything that happens in it. Use this page to look up what an event means and which
fields it has. \`session.events\` streams all events, and \`session.errors\` only those that report a failure.

\`\`\`ts
import { Console, Stream } from "effect"
import type { Session } from "effect-realtime"

export const print = <E>(session: Session.Session<E>) =>
  session.events.pipe(
    Stream.runForEach((event) =>
      event._tag === "ToolFailed" ? Console.warn(event.call.tool, event.error.message) : Console.log(event._tag)
    )
  )
\`\`\`

Each event is a plain object with a \`_tag\`. The schema \`SessionEvent.SessionEvent\` encodes and decodes all of them. A
field with a \`?\` may be \`undefined\` or absent. Fields that end in \`Ms\` are milliseconds.
`

const outro = `## Types with a name

- \`Item\` is a message, a call, an output or another item of the conversation: see
  [Conversation.ts](../src/Conversation.ts).
- \`CallInfo\` is ${code(structOf(SessionEvent.CallInfo.ast))}. \`arguments\` is JSON text, as the model wrote it.
- \`ResponseCause\` is ${code(structOf(SessionEvent.ResponseCause.ast))}: the items
  that were put into the conversation to be answered (\`sendText\` returned their ids), the calls whose outputs the model
  is to read, and the responses that made these calls. Requests that wait become one, so each list may be long.
- \`Snapshot\` is ${code(structOf(SessionEvent.Snapshot.ast))}.
- \`ToolError\` is one of the typed failures in [ToolError.ts](../src/ToolError.ts): see
  [When a call goes wrong](failures.md).
- \`Usage\`, \`TranscriptionUsage\`, \`LogProb\` and \`Metadata\` are the protocol's own, in its words:
  [Response.ts](../src/protocol/Response.ts), [ConversationEvent.ts](../src/protocol/ConversationEvent.ts) and
  [fields.ts](../src/protocol/fields.ts).

## Where the code is

- [SessionEvent.ts](../src/SessionEvent.ts): the union
- [event](../src/event): the schemas
- [test/docs/eventsPage.ts](../test/docs/eventsPage.ts): writes this page
`
