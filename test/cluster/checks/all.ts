import type { Check } from "./Check.js"
import { deletedRow, restored, slowDatabase } from "./database.js"
import { drain } from "./drain.js"
import { durable } from "./durable.js"
import { errors } from "./errors.js"
import { join } from "./join.js"
import { kill } from "./kill.js"
import { lostAnswer } from "./lostAnswer.js"
import { clocks, nextVersion, sameAddress, splitDatabase, splitNodes, twice } from "./machines.js"
import { outage } from "./outage.js"
import { pause } from "./pause.js"
import { restart } from "./restart.js"
import { speed } from "./speed.js"

/** What a cluster promises, and then its bad days. */
export const checks: ReadonlyArray<Check> = [
  ...[kill, drain, join, restart, pause, outage, lostAnswer, durable, speed, errors],
  ...[slowDatabase, restored, sameAddress, clocks, splitNodes, splitDatabase, nextVersion, twice, deletedRow]
]
