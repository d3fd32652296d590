/** How often a property is tried: `RUNS=100000 npm test` for a longer look. */
export const numRuns = (usual: number): number => Number(process.env["RUNS"] ?? usual)

/** Where the random tests begin: each run of the same code tries the same. `SEED=1 npm test` tries others. */
export const seed = Number(process.env["SEED"] ?? 20_261_122)
