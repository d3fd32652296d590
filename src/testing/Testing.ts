/** All of `effect-realtime/testing`, under one name. */
export * as Arbitraries from "./arbitraries.js"
export { chaos, check, LawsBroken, type Options, type Report } from "./explore.js"
export { type Law, law, type Violation } from "./Law.js"
export * as Laws from "./Laws.js"
export { type ConnectionRecord, events, type Moment, type Observation } from "./Observation.js"
export { type Action, describe, type Program, type Reply, type ReplyPart, type Step } from "./Program.js"
