/**
 * How a system message words the result of a call that was answered before: a second output would be refused.
 */
export interface LateResult {
  readonly tool: string
  readonly callId: string
  /** What the output would have been: a failure reads as it does there. */
  readonly output: string
}

export const textOf = ({ callId, output, tool }: LateResult): string =>
  `The result of ${tool} (call ${callId}) has come: ${output}`

/** Reads `textOf` back; any other text is no late result. */
export const parse = (text: string): LateResult | undefined => {
  const match = /^The result of (\S+) \(call (\S+)\) has come: (.*)$/s.exec(text)
  if (match === null) return undefined
  const [, tool = "", callId = "", output = ""] = match
  return { tool, callId, output }
}
