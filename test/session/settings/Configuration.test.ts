import { describe, expect, it } from "@effect/vitest"
import * as Exit from "effect/Exit"
import { maxUnconfirmed } from "../../../src/session/settings/Configuration.js"
import { parts } from "../parts.js"

const make = () => parts().session.configuration

describe("law 6, Boundedness: settings that the server never confirms", () => {
  it("are forgotten, the oldest first, if no caller waits for them", () => {
    const configuration = make()
    for (let tokens = 1; tokens <= maxUnconfirmed + 1; tokens += 1) {
      configuration.sendRaw({ max_output_tokens: tokens }, undefined)
    }
    configuration.confirmed({ type: "realtime", max_output_tokens: 1 })
    expect(configuration.confirmedSettings()).toEqual({})
    configuration.confirmed({ type: "realtime", max_output_tokens: 2 })
    expect(configuration.confirmedSettings()).toEqual({ max_output_tokens: 2 })
  })

  it("are kept if a caller waits for them", () => {
    const configuration = make()
    const replies: Array<Exit.Exit<void, unknown>> = []
    configuration.update({ type: "realtime", max_output_tokens: 1 }).send((exit) => replies.push(exit))
    for (let tokens = 2; tokens <= 2 * maxUnconfirmed; tokens += 1) {
      configuration.sendRaw({ max_output_tokens: tokens }, undefined)
    }
    configuration.confirmed({ type: "realtime", max_output_tokens: 1 })
    expect(replies).toEqual([Exit.void])
  })
})
