import type { Report } from "./messages.js"

/** `importing.js SPECIFIER`: what it takes to load a module, and all that it needs, in a process that has loaded nothing. */
const [specifier = ""] = process.argv.slice(2)
process.on("disconnect", () => process.exit(0))
const cpu = process.cpuUsage()
const begun = performance.now()
await import(specifier)
const { user, system } = process.cpuUsage(cpu)
const report: Report = {
  _tag: "Taken",
  cpuMs: (user + system) / 1000,
  wallMs: performance.now() - begun,
  samples: [],
  values: {}
}
process.send?.(report)
