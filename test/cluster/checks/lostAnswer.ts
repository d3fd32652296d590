import * as Effect from "effect/Effect"
import { findings, must, startCalls, untilDone } from "../calls.js"
import { spread } from "../figures.js"
import { words } from "../mind.js"
import type { Check } from "./Check.js"

export const lostAnswer: Check = {
  name: "lost-answer",
  title: "a node dies between carrying out a command and answering it: it is done exactly once",
  run: (stage) =>
    Effect.gen(function* () {
      const started = yield* stage.startAll()
      let nodes = started
      const rounds = stage.isSmall ? 1 : 10
      const perRound = stage.isSmall ? 5 : 10
      const all: Array<string> = []
      const times: Array<number> = []
      for (let round = 1; round <= rounds; round += 1) {
        const at = round % nodes.length
        const [victim, through] = [nodes[at], nodes[(at + 1) % nodes.length]]
        if (victim === undefined || through === undefined) break
        const calls = (yield* startCalls([victim], perRound, `${stage.prefix}-${round}`)).map(({ call }) => call)
        all.push(...calls)
        // From now on the node carries out what it is told, answers nothing, and kills itself at the last of these.
        yield* victim.ask("dieAfter", { commands: calls.length })
        const outcomes = yield* Effect.forEach(
          calls,
          (call) => must(through, call, { _tag: "SendText", text: words(call, 1) }),
          { concurrency: "unbounded" }
        )
        times.push(...outcomes.map(({ ms }) => ms))
        yield* untilDone(stage.machines, calls, 1)
        yield* victim.ended
        const again = yield* stage.start(victim.spec)
        yield* again.untilReady
        nodes = nodes.with(at, again)
      }
      return {
        figures: [`${all.length} commands whose first answer was lost: ${spread(times)}`],
        // Words that were said twice are among the findings.
        violations: yield* findings(stage.machines, all)
      }
    })
}
