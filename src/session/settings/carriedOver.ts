import type { Settings } from "../../journal/Record.js"
import type { ToolConfig } from "../../protocol/ToolConfig.js"

/**
 * The settings of the previous process, except for a choice of a tool that the agent no longer has: the server would
 * refuse it.
 */
export const carriedOver = (settings: Settings, tools: ReadonlyArray<ToolConfig>): Settings => {
  const { tool_choice: choice, ...others } = settings
  if (choice === undefined || typeof choice === "string") return settings
  const isThere = tools.some((tool) =>
    choice.type === "function"
      ? tool.type !== "mcp" && tool.name === choice.name
      : tool.type === "mcp" && tool.server_label === choice.server_label
  )
  return isThere ? settings : others
}
