import * as fc from "effect/FastCheck"

/** Elements that belong together, and how often. */
export interface Group<A> {
  readonly weight: number
  readonly elements: ReadonlyArray<fc.Arbitrary<A>>
}

/** An element, with what is needed to shrink it. */
interface Piece<A> {
  readonly arbitrary: fc.Arbitrary<A>
  readonly value: fc.Value<A>
}

/** `largest`: the largest number of elements that could be left out at once; more would fail again. */
interface Context<A> {
  readonly pieces: ReadonlyArray<Piece<A>>
  readonly largest: number
}

/**
 * Like `fc.array`, but its counterexamples have no unnecessary elements. It shrinks by leaving out elements at any
 * position, first many at once and then one by one, and then shrinks the elements that are left. (`fc.array` only
 * leaves out first elements, and never the last; and elements that belong together must be left out together.)
 */
class List<A> extends fc.Arbitrary<ReadonlyArray<A>> {
  constructor(
    private readonly groups: ReadonlyArray<Group<A>>,
    private readonly minLength: number,
    private readonly maxLength: number
  ) {
    super()
  }

  override generate(random: fc.Random, bias: number | undefined): fc.Value<ReadonlyArray<A>> {
    const length = random.nextInt(this.minLength, this.maxLength)
    const pieces: Array<Piece<A>> = []
    while (pieces.length < length) {
      for (const arbitrary of this.group(random)) pieces.push({ arbitrary, value: arbitrary.generate(random, bias) })
    }
    return this.value(pieces.slice(0, length), length)
  }

  override canShrinkWithoutContext(_value: unknown): _value is ReadonlyArray<A> {
    return false
  }

  override shrink(_value: ReadonlyArray<A>, context: unknown): fc.Stream<fc.Value<ReadonlyArray<A>>> {
    // `fc.Arbitrary` has no type for a context: it is the one that `value` returned.
    return context === undefined ? fc.Stream.nil() : fc.stream(this.smaller(context as Context<A>))
  }

  private *smaller({ largest, pieces }: Context<A>): Generator<fc.Value<ReadonlyArray<A>>> {
    const mostLeftOut = Math.min(largest, pieces.length - this.minLength)
    for (let size = mostLeftOut; size >= 1; size = Math.floor(size / 2)) {
      // The last ones first: what follows the fault is usually unnecessary.
      for (let end = pieces.length; end > 0; end -= size) {
        const start = Math.max(0, end - size)
        yield this.value([...pieces.slice(0, start), ...pieces.slice(end)], size)
      }
    }
    for (const [index, { arbitrary, value }] of pieces.entries()) {
      for (const simpler of arbitrary.shrink(value.value_, value.context)) {
        yield this.value(pieces.with(index, { arbitrary, value: simpler }), mostLeftOut)
      }
    }
  }

  private value(pieces: ReadonlyArray<Piece<A>>, largest: number): fc.Value<ReadonlyArray<A>> {
    return new fc.Value(
      pieces.map(({ value }) => value.value_),
      { pieces, largest } satisfies Context<A>
    )
  }

  private group(random: fc.Random): Group<A>["elements"] {
    let left = random.nextInt(
      1,
      this.groups.reduce((sum, { weight }) => sum + weight, 0)
    )
    for (const { elements, weight } of this.groups) {
      left -= weight
      if (left <= 0) return elements
    }
    return []
  }
}

/** A list of single elements, or some that belong together. */
export const listOf = <A>(
  groups: ReadonlyArray<Group<A>>,
  { maxLength, minLength = 0 }: { readonly minLength?: number; readonly maxLength: number }
): fc.Arbitrary<ReadonlyArray<A>> => new List(groups, minLength, maxLength)

/** A list of such elements. */
export const list = <A>(
  element: fc.Arbitrary<A>,
  length: { readonly minLength?: number; readonly maxLength: number }
): fc.Arbitrary<ReadonlyArray<A>> => listOf([{ weight: 1, elements: [element] }], length)
