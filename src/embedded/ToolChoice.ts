/**
 * `tool_choice`, as a model obeys it: whatever a mind says, it calls what it must, and nothing that it may not.
 */
import { call, type Part, type Parts, type Request, say } from "./Mind.js"

/** What is said in place of calls that may not be made, where nothing else is. */
export const NO_CALLS = "That is all that I can do now."

/** A response with one of these does not come to its end: it calls no more. */
const endsEarly = ({ _tag }: Part): boolean => _tag === "Fail" || _tag === "CutShort" || _tag === "Stall"

const isCall = ({ _tag }: Part): boolean => _tag === "Call" || _tag === "McpCall" || _tag === "McpApprovalRequest"

export const obey = (parts: Parts, { toolChoice, tools }: Pick<Request, "toolChoice" | "tools">): Parts => {
  switch (toolChoice._tag) {
    case "Auto":
      return parts
    case "None": {
      const kept = parts.filter((part) => !isCall(part))
      return kept.length === parts.length || kept.some((part) => part._tag === "Say" || endsEarly(part))
        ? kept
        : [...kept, say(NO_CALLS)]
    }
    case "Required":
      return parts.some(isCall) ? parts : [...parts, ...forced(parts, tools[0])]
    case "Function": {
      const { name } = toolChoice
      const kept = parts.filter((part) => !isCall(part) || (part._tag === "Call" && part.name === name))
      const tool = tools.find((one) => one.name === name)
      return kept.some(isCall) ? kept : [...kept, ...forced(kept, tool)]
    }
  }
}

/** Without arguments: what they should be, only a mind could say. */
const forced = (parts: Parts, tool: Request["tools"][number] | undefined): Parts =>
  tool === undefined || parts.some(endsEarly) ? [] : [call(tool.name)]
