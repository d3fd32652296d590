/** A body that goes on as long as anybody reads it, and how far that was. */
export const endlessBody = () => {
  const seen = { pieces: 0, isCancelled: false }
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      seen.pieces += 1
      // So that a reader without a limit comes to an end, and is seen.
      if (seen.pieces > 500) controller.close()
      else controller.enqueue(new Uint8Array(32 * 1024))
    },
    cancel: () => {
      seen.isCancelled = true
    }
  })
  return { body, seen }
}
