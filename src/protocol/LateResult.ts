/** The system message with the result of a call that was answered before, because a second output would be refused. */
export interface LateResult {
  readonly tool: string
  readonly callId: string
  /** The text that the output would have had; a failure reads the same. */
  readonly output: string
}

export const textOf = ({ callId, output, tool }: LateResult): string =>
  `The result of ${tool} (call ${callId}) has come: ${output}`

/** Parses the text that `textOf` made. Other text is not a late result. */
export const parse = (text: string): LateResult | undefined => {
  const match = /^The result of (\S+) \(call (\S+)\) has come: (.*)$/s.exec(text)
  if (match === null) return undefined
  const [, tool = "", callId = "", output = ""] = match
  return { tool, callId, output }
}
