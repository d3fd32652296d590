import * as fc from "effect/FastCheck"
import { numRuns, seed } from "./runs.js"

// Before each test file: a failure shall be one of the code, and not of the day.
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed, numRuns: numRuns(100) })
