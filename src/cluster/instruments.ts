import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import { Instrument } from "../session/telemetry/Instrument.js"

/** Every metric of a node. A test compares the names and units with the guide. */

/** 1 ms, doubled up to 65 s. */
const seconds = MetricBoundaries.exponential({ start: 0.001, factor: 2, count: 18 })

const duration = (name: string, attributes: ReadonlyArray<string>, description: string): Instrument =>
  new Instrument(name, Metric.histogram(name, seconds, description), "s", attributes)

const counter = (name: string, unit: string, attributes: ReadonlyArray<string>, description: string): Instrument =>
  new Instrument(name, Metric.counter(name, { description, incremental: true }), unit, attributes)

export const calls = new Instrument(
  "effect_realtime.cluster.calls",
  Metric.gauge("effect_realtime.cluster.calls", { description: "Calls that this node has." }),
  "{call}",
  []
)

export const takeOverDuration = duration(
  "effect_realtime.cluster.take_over.duration",
  ["effect_realtime.cluster.outcome"],
  "How long it takes to resume a call of another node, from the claim."
)

export const handOverDuration = duration(
  "effect_realtime.cluster.hand_over.duration",
  ["effect_realtime.cluster.outcome"],
  "How long it takes to close a call and to give it to another node."
)

export const drainDuration = duration(
  "effect_realtime.cluster.drain.duration",
  [],
  "How long the node took to give away all calls."
)

export const ghosts = counter(
  "effect_realtime.cluster.ghosts",
  "{call}",
  [],
  "Calls that were closed because another node had taken them."
)

export const lapses = counter(
  "effect_realtime.cluster.lease.lapses",
  "{lapse}",
  [],
  "Leases of this node that ran out."
)

export const directoryFailures = counter(
  "effect_realtime.cluster.directory.failures",
  "{failure}",
  [],
  "Looks at the directory that failed or took too long."
)

export const directoryDuration = duration(
  "effect_realtime.cluster.directory.duration",
  [],
  "How long it takes to renew the lease and to look at the directory."
)

export const commandDuration = duration(
  "effect_realtime.cluster.command.duration",
  ["effect_realtime.cluster.command", "error.type"],
  "How long commands take, from the client's first try to the answer."
)
