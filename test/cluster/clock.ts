/** Sets the clock of this process, and of nothing else: `CLOCK_MS` is how much it is ahead. Imported before all others. */
const aheadMs = Number(process.env["CLOCK_MS"] ?? 0)

if (aheadMs !== 0) {
  const RealDate = Date
  const now = () => RealDate.now() + aheadMs
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: ReadonlyArray<unknown>) => Reflect.construct(target, args.length === 0 ? [now()] : args),
    get: (target, name) => (name === "now" ? now : Reflect.get(target, name))
  })
}
