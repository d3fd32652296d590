/** How often a property is tried: `RUNS=100000 npm test` for a longer look. */
export const numRuns = (usual: number): number => Number(process.env["RUNS"] ?? usual)
