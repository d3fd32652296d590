import * as Fold from "./Fold.js"
import type { JournalRecord } from "./Record.js"

/**
 * Computes the state of a session at its last record. Never fails: a record that does not fit the earlier ones changes
 * nothing.
 *
 * @since 0.1.0
 * @category folds
 */
export const recover = (records: Iterable<JournalRecord>): Fold.Recovered => {
  const fold = Fold.make()
  for (const record of records) fold.apply(record)
  return fold.recovered()
}
