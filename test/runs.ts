/** `npm test` tries a tenth of what `npm run test:deep` tries. */
const depth = Number(process.env["DEPTH"] ?? 1)

/** Whether to also run checks that take seconds and seldom find a fault. */
export const isDeep = depth >= 1

/** How often a property is tried: `RUNS=100000 npm run test:deep` for a longer look. */
export const numRuns = (usual: number): number => Number(process.env["RUNS"] ?? Math.ceil(usual * depth))

/** Where the random tests begin: each run of the same code tries the same. `SEED=1 npm test` tries others. */
export const seed = Number(process.env["SEED"] ?? 20_261_122)
