/** Ends when it was ticked as often as is said. */
export const makeCountdown = () => {
  let left = 0
  let done: () => void = () => undefined
  return {
    tick: (): void => {
      left -= 1
      if (left === 0) done()
    },
    from: (count: number, begin: () => void): Promise<undefined> =>
      new Promise((resolve) => {
        left = count
        done = () => resolve(undefined)
        begin()
      })
  }
}
