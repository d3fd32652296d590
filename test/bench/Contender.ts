/** The contenders. Each has a file of its name in `process/contenders`. */
export type Contender =
  /** This library, whose streams are read. */
  | "ours"
  /** This library, called from plain functions and calling them. */
  | "callbacks"
  /** The least that the work takes: `ws`, `JSON.parse`, `Buffer.from`. */
  | "floor"
  /** The floor, with what an Effect API takes at least: a `Mailbox` and `Stream.runForEach`. */
  | "floorEffect"
  /** `@openai/agents-realtime`, as its documentation shows it. */
  | "peer"

export const isOurs = (contender: Contender): boolean => contender === "ours" || contender === "callbacks"
