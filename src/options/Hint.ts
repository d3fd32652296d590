declare const hint: unique symbol

/**
 * No value has this type. It stands next to the expected type, so that a compiler error about any other type says what
 * to do.
 *
 * @since 0.1.0
 * @category type-level
 */
export interface Hint<out Text extends string> {
  readonly [hint]: Text
}
