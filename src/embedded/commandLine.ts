/**
 * The words of the `effect-realtime` command: what was asked for, and what is printed.
 */
import type { Activity } from "./ServerConnection.js"
import { isObject, type JsonObject, shown } from "./Shape.js"
import { visible } from "./visible.js"

export const HELP = `effect-realtime serve: a realtime speech model on this machine, which speaks the OpenAI Realtime protocol.

Usage: effect-realtime serve [options]

Options:
  --port <number>    Port to listen on; 0 takes a free one (default: 8080)
  --host <address>   Address to listen on (default: 127.0.0.1, this machine only)
  --api-key <key>    Key that clients must send (default: none)
  --quiet            Print the URL, and nothing else
  --help             Print this

It needs no network. It has no language model: it picks the tool whose name and description fit the sentence best,
and says what the tool gave back. English only.
`

export type Command =
  | { readonly _tag: "Help" }
  | { readonly _tag: "Invalid"; readonly message: string }
  | {
      readonly _tag: "Serve"
      readonly port: number
      readonly host: string
      readonly apiKey: string | undefined
      readonly quiet: boolean
    }

const DEFAULT_PORT = 8_080

const invalid = (problem: string): Command => ({
  _tag: "Invalid",
  message: `${problem} Run "effect-realtime --help" to see what there is.`
})

/** Reads the arguments that follow the name of the command. */
export const parse = (args: ReadonlyArray<string>): Command => {
  if (args.length === 0 || args.includes("--help") || args.includes("-h")) return { _tag: "Help" }
  const [command, ...rest] = args
  if (command !== "serve") return invalid(`Unknown command "${command}".`)
  let port = DEFAULT_PORT
  let host = "127.0.0.1"
  let apiKey: string | undefined
  let quiet = false
  // `--port=8080` means the same as `--port 8080`.
  const words = rest.flatMap((word) => {
    const at = word.indexOf("=")
    return word.startsWith("--") && at > 0 ? [word.slice(0, at), word.slice(at + 1)] : [word]
  })
  for (let index = 0; index < words.length; index++) {
    const option = words[index] ?? ""
    if (option === "--quiet") {
      quiet = true
      continue
    }
    if (option !== "--port" && option !== "--host" && option !== "--api-key")
      return invalid(`Unknown option "${option}".`)
    index += 1
    const value = words[index]
    if (value === undefined || value === "") return invalid(`The option ${option} needs a value.`)
    if (option === "--host") host = value
    if (option === "--api-key") apiKey = value
    if (option === "--port") {
      port = Number(value)
      if (!/^\d+$/.test(value) || port > 65_535) return invalid(`"${value}" is no port: use a number from 0 to 65535.`)
    }
  }
  return { _tag: "Serve", port, host, apiKey, quiet }
}

/** How a log may look. */
export interface Style {
  readonly colour: boolean
}

const paint = (style: Style, code: number, text: string): string =>
  style.colour ? `\u001b[${code}m${text}\u001b[0m` : text

const DIM = 2
const GREEN = 32
const YELLOW = 33

/** One line for what is worth one: connections, what the user typed, responses, and refusals. */
export const line = (activity: Activity, style: Style): string | undefined => {
  const who = paint(style, DIM, `#${activity.connection}`)
  switch (activity._tag) {
    case "Connected":
      return `${who} connected, model ${visible(activity.model)}`
    case "Ended": {
      const { ending } = activity
      switch (ending._tag) {
        case "Dropped":
          return `${who} dropped`
        case "ClosedByClient":
          return `${who} closed by the client, code ${ending.code}`
        case "ClosedByServer":
          return `${who} closed, code ${ending.code}`
      }
      break
    }
    case "Received":
      return received(activity.event, who)
    case "Sent":
      return sent(activity.event, who, style)
  }
}

const text = (value: unknown): string => visible(String(value))

const received = (event: JsonObject, who: string): string | undefined => {
  const item = event["item"]
  if (event["type"] !== "conversation.item.create" || !isObject(item)) return undefined
  if (item["type"] === "function_call_output") return `${who} output: ${visible(shown(item["output"]))}`
  const [part]: ReadonlyArray<unknown> = Array.isArray(item["content"]) ? item["content"] : []
  return isObject(part) && typeof part["text"] === "string" ? `${who} user: ${visible(part["text"])}` : undefined
}

const sent = (event: JsonObject, who: string, style: Style): string | undefined => {
  const { error, response } = event
  if (event["type"] === "error" && isObject(error)) {
    return `${who} ${paint(style, YELLOW, `refused (${text(error["code"])}): ${text(error["message"])}`)}`
  }
  if (event["type"] !== "response.done" || !isObject(response)) return undefined
  const output = Array.isArray(response["output"]) ? response["output"] : []
  const said = output.map(itemLine).filter((text) => text !== "")
  const status = paint(style, response["status"] === "completed" ? GREEN : YELLOW, text(response["status"]))
  const head = `${who} response ${status}`
  return said.length === 0 ? head : `${head}: ${said.join("; ")}`
}

const itemLine = (item: unknown): string => {
  if (!isObject(item)) return ""
  if (item["type"] === "function_call") return `calls ${text(item["name"])}(${text(item["arguments"])})`
  const [part]: ReadonlyArray<unknown> = Array.isArray(item["content"]) ? item["content"] : []
  return isObject(part) ? `says "${text(part["text"] ?? part["transcript"] ?? "")}"` : ""
}
