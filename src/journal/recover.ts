import * as Fold from "./Fold.js"
import type { JournalRecord } from "./Record.js"

/**
 * Folds the records of a session, in their order, to what it was when the last was written. It never fails: a record that
 * does not fit what came before changes nothing.
 *
 * @since 0.1.0
 * @category folds
 */
export const recover = (records: Iterable<JournalRecord>): Fold.Recovered => {
  const fold = Fold.make()
  for (const record of records) fold.apply(record)
  return fold.recovered()
}
