import * as Predicate from "effect/Predicate"

/** Settings without the credentials of hosted MCP servers, which are only for the wire. */
export const withoutSecrets = <S extends object>(settings: S): S => {
  const tools = Predicate.hasProperty(settings, "tools") ? settings.tools : undefined
  return Array.isArray(tools) && tools.some(hasSecrets) ? { ...settings, tools: tools.map(withoutOwn) } : settings
}

const hasSecrets = (tool: unknown): boolean =>
  Predicate.isRecord(tool) && ("authorization" in tool || "headers" in tool)

const withoutOwn = (tool: unknown): unknown => {
  if (!Predicate.isRecord(tool)) return tool
  const { authorization: _, headers: __, ...others } = tool
  return others
}
