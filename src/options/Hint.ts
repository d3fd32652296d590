declare const hint: unique symbol

/**
 * No value has this type. It stands beside the type that is wanted, so that a compiler's error about anything else says
 * what to do.
 *
 * @since 0.1.0
 * @category type-level
 */
export interface Hint<out Text extends string> {
  readonly [hint]: Text
}
