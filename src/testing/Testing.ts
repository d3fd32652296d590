/** All of `effect-realtime/testing`, under one name. */
export * as Arbitraries from "./arbitraries.js"
export { chaos, check, LawsBroken, type Options, type Report } from "./explore.js"
export { always, type Found, type Law, law, type Violation, type Watch } from "./Law.js"
export * as Laws from "./Laws.js"
export { type ConnectionRecord, events, type Moment, type Observation, type Scene } from "./Observation.js"
export {
  type Action,
  type Beginning,
  describe,
  type Outage,
  type Program,
  type Reply,
  type ReplyPart,
  type Step
} from "./Program.js"
