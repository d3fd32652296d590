/**
 * Where to cut a text that has more than `longest` characters: after the last space within that length, or between two
 * characters if there is no space.
 */
export const wordBreak = (text: string, longest: number): number => {
  const space = text.slice(0, longest).search(/\s\S*$/)
  if (space > 0) return space + 1
  return /[\uD800-\uDBFF]/.test(text.charAt(longest - 1)) ? longest - 1 : longest
}
