import { setTimeout } from "node:timers/promises"
import type { Connect } from "./contenders/Client.js"
import type { Order, Report } from "./messages.js"
import type { Task } from "./tasks/Task.js"

/**
 * `contend.js CONTENDER TASK URL BYTES`: the process of one contender. It loads nothing of the others, connects, and then
 * takes the steps that it is told to take.
 */

/** What a contender puts off until after the end of a step is within its time. Milliseconds. */
const settling = 10

const [contender = "", name = "", url = "", bytes = "0"] = process.argv.slice(2)
// Every file of these directories exports this.
const { connect } = (await import(`./contenders/${contender}.js`)) as { readonly connect: Connect }
const { task } = (await import(`./tasks/${name}.js`)) as { readonly task: Task }
const report = (message: Report): void => void process.send?.(message)
process.on("disconnect", () => process.exit(0))

const steps = await task(connect, url, Number(bytes))

const take = async (name: string, amount: number): Promise<Report> => {
  const step = steps[name]
  if (step === undefined) throw new Error(`There is no step ${JSON.stringify(name)}.`)
  const cpu = process.cpuUsage()
  const begun = performance.now()
  const measured = await step(amount)
  const wallMs = performance.now() - begun
  await setTimeout(settling)
  const { user, system } = process.cpuUsage(cpu)
  return {
    _tag: "Taken",
    cpuMs: (user + system) / 1000,
    wallMs,
    samples: measured?.samples ?? [],
    values: measured?.values ?? {}
  }
}

process.on("message", async (message) => {
  // The other end is this package's own code.
  const order = message as Order
  if (order._tag === "Step") report(await take(order.step, order.amount))
})
report({ _tag: "Ready" })
