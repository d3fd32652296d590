/** The rules for the options of the cluster. */
import { count, time, timeOrNever, word } from "../options/Rule.js"

/** For `CallHost.drain`. */
export const drain = { mode: word("hand over", "wait"), within: time(0), toolsWithin: time(0) }

/** For `ClusterNode.shardingConfig`. */
export const address = { port: count(0, 65_535) }

/** For `CallHost.make`. A shorter lease would be lost whenever the process pauses. */
export const host = {
  "address.port": address.port,
  lease: time(1_000),
  maxCalls: count(1),
  maxTakeOvers: count(1),
  takeOverWithin: time(0),
  abandonAfter: timeOrNever(0),
  "drain.mode": drain.mode,
  "drain.within": drain.within,
  "drain.toolsWithin": drain.toolsWithin
}

/** For `Calls`. */
export const calls = { within: time(1), tryWithin: time(1), maxKnown: count(1) }
