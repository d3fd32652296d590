import type { Row } from "./Row.js"
import type { Run } from "./Run.js"
import { markdown, verdict } from "./table.js"

/** More than the one process that is measured and its server's: then others took their share. */
const busyLoad = 2

const conditions = ({ node, versions, machine, date, rounds }: Run): string => {
  const { cpu, cores, loadBefore, loadAfter } = machine
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const isBusy = Math.max(loadBefore, loadAfter) > busyLoad
  return [
    `${date}, Node ${node}, ${packages.join(", ")}; ${cpu}, ${cores} cores; ${rounds} ${rounds === 1 ? "round" : "rounds"}. Load average ${loadBefore} before, ${loadAfter} after.`,
    ...(isBusy
      ? [
          "",
          "**The machine had other work during this run.** Caches and cores were shared, so figures are too high, those of the " +
            "clock and of the event loop's lag most; ratios are what to read."
        ]
      : [])
  ].join("\n")
}

const howToRead = `\`npm run bench -- --write\` makes this page. Each contender is a process of its own beside a server that is another one. They
work in turn, a lap at a time. *ours* is this library; *floor* the least that the work takes: \`ws\`, \`JSON.parse\`,
\`Buffer.from\`; *floor+Effect* the same through a \`Mailbox\` and \`Stream.runForEach\`; *peer* is \`@openai/agents-realtime\`. Figures are medians
over laps (*spread*: the middle half), less is better, and ratios are of medians. CPU is \`process.cpuUsage\`, all threads of
the process together. *Cold* is laps 1 to 3 of a process, where its compiler does most of its work; *warm* the last third.
*growth* is the cost of a unit at the end, or in a large case, by that at the beginning, or in a small one.`

const goalsOf = (rows: ReadonlyArray<Row>): string => {
  const all = rows.flatMap((row) => row.goals.map((goal) => ({ row, goal })))
  const missed = all.filter(({ goal }) => !goal.met)
  const lines = missed.map(({ row, goal }) => `- ${row.bench}, ${row.case}, ${row.measure}: ${verdict(goal)}`)
  return [
    `${all.length - missed.length} of ${all.length} goals are met.${missed.length === 0 ? "" : " These are not:"}`,
    ...(lines.length === 0 ? [] : ["", ...lines])
  ].join("\n")
}

export interface Parts {
  /** Where the picture is, beside the page. */
  readonly chart: string
  /** A person's notes on the figures: what was tried, and what is left. */
  readonly remarks: string
}

/** The page of the last full run. */
export const results = (run: Run, { chart, remarks }: Parts): string => {
  const picture = `![Ratios, with their goals](${chart})`
  const parts = [
    "# What it costs",
    howToRead,
    conditions(run),
    picture,
    goalsOf(run.rows),
    remarks.trim(),
    markdown(run.rows)
  ]
  return `${parts.join("\n\n")}\n`
}
