import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as ClusterNode from "../../src/cluster/ClusterNode.js"

describe("ClusterNode.shardingConfig", () => {
  it("refuses a port that is none, and names it", () => {
    expect(() => ClusterNode.shardingConfig({ host: "127.0.0.1", port: Number.NaN })).toThrow(/`?port/)
    expect(() => ClusterNode.shardingConfig({ host: "127.0.0.1", port: 65_536 })).toThrow(/OptionsInvalid|65/)
  })

  it("gives shards away before the locks of the others run out, when each answer of the database takes 400 ms", () => {
    const { shardLockExpiration, shardLockRefreshInterval, shardsPerGroup } = ClusterNode.shardingConfig({
      host: "127.0.0.1",
      port: 1
    })
    if (shardsPerGroup === undefined || shardLockRefreshInterval === undefined || shardLockExpiration === undefined) {
      return expect.unreachable()
    }
    // A second node takes half of the shards of `default`, one statement for each, and the refresh has two.
    const withinMs = (shardsPerGroup / 2 + 2) * 400
    expect(withinMs).toBeLessThan(Duration.toMillis(shardLockRefreshInterval))
    // @effect/cluster gives up its shards after a third of the expiration, if that is shorter.
    expect(withinMs).toBeLessThan(Duration.toMillis(shardLockExpiration) / 3)
  })
})
