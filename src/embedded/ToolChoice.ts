/** Enforces `tool_choice`: whatever a mind returns, the calls that must be made are made, and no others. */
import * as Stream from "effect/Stream"
import { call, type Part, type Parts, type Request, say } from "./Mind.js"

/** What is said instead of calls that must not be made, if nothing else is said. */
export const NO_CALLS = "That is all that I can do now."

/** A response with one of these parts does not complete, and makes no more calls. */
const endsEarly = ({ _tag }: Part): boolean => _tag === "Fail" || _tag === "CutShort" || _tag === "Stall"

const isCall = ({ _tag }: Part): boolean => _tag === "Call" || _tag === "McpCall" || _tag === "McpApprovalRequest"

const says = ({ _tag }: Part): boolean => _tag === "Say" || _tag === "SayDelta"

/** What a mind has returned so far. */
interface Given {
  refused: boolean
  said: boolean
  called: boolean
  ended: boolean
}

export const obey = (
  parts: Stream.Stream<Part>,
  { toolChoice, tools }: Pick<Request, "toolChoice" | "tools">
): Stream.Stream<Part> => {
  switch (toolChoice._tag) {
    case "Auto":
      return parts
    case "None":
      return filtered(
        parts,
        (part) => !isCall(part),
        ({ ended, refused, said }) => (refused && !said && !ended ? [say(NO_CALLS)] : [])
      )
    case "Required":
      return filtered(
        parts,
        () => true,
        (given) => forced(given, tools[0])
      )
    case "Function": {
      const { name } = toolChoice
      const tool = tools.find((one) => one.name === name)
      return filtered(
        parts,
        (part) => !isCall(part) || (part._tag === "Call" && part.name === name),
        (given) => forced(given, tool)
      )
    }
  }
}

/** The parts that may pass, and at the end, what is missing. */
const filtered = (
  parts: Stream.Stream<Part>,
  mayPass: (part: Part) => boolean,
  lacking: (given: Given) => Parts
): Stream.Stream<Part> =>
  Stream.suspend(() => {
    const given: Given = { refused: false, said: false, called: false, ended: false }
    const passing = Stream.filter(parts, (part) => {
      const passes = mayPass(part)
      given.refused ||= !passes
      given.said ||= says(part)
      given.called ||= passes && isCall(part)
      given.ended ||= endsEarly(part)
      return passes
    })
    return Stream.concat(
      passing,
      Stream.suspend(() => Stream.fromIterable(lacking(given)))
    )
  })

/** Without arguments, because only a mind could choose them. */
const forced = ({ called, ended }: Given, tool: Request["tools"][number] | undefined): Parts =>
  tool === undefined || called || ended ? [] : [call(tool.name)]
