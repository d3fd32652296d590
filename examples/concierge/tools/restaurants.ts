/** Where to eat, and a table there. */
import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { Tool } from "effect-realtime"

const Restaurant = Schema.Struct({
  name: Schema.String,
  cuisine: Schema.String,
  opens: Schema.String,
  tables: Schema.Int
})

const restaurants = Schema.decodeSync(Schema.parseJson(Schema.Array(Restaurant)))(
  readFileSync(new URL("../restaurants.json", import.meta.url), "utf8")
)

export class NoRestaurantFound extends Schema.TaggedError<NoRestaurantFound>()("NoRestaurantFound", {
  cuisine: Schema.String,
  cuisines: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `Nobody around here cooks ${this.cuisine} food. There is ${this.cuisines.join(", ")}.`
  }
}

export const findRestaurant = Tool.make("find_restaurant", {
  description: "Finds a place to eat nearby, by its cuisine",
  parameters: { cuisine: Schema.String.annotations({ description: "Such as Italian" }) },
  success: Schema.Array(Restaurant.pick("name", "opens")),
  failure: NoRestaurantFound,
  handler: ({ cuisine }) => {
    const found = restaurants.filter((restaurant) => restaurant.cuisine === cuisine.toLowerCase())
    return found.length > 0
      ? Effect.succeed(found)
      : new NoRestaurantFound({ cuisine, cuisines: restaurants.map((restaurant) => restaurant.cuisine) })
  }
})

export class NoTableFree extends Schema.TaggedError<NoTableFree>()("NoTableFree", { restaurant: Schema.String }) {
  override get message(): string {
    return `${this.restaurant} has no table left tonight.`
  }
}

/** A contract: a user interface may import it, and a test may give it another handler. The guest must approve a call. */
export const bookTable = Tool.make("book_table", {
  description: "Books a table for tonight, for a number of guests",
  parameters: { restaurant: Schema.String, guests: Schema.Int.pipe(Schema.between(1, 12)) },
  success: Schema.Struct({ reference: Schema.String, restaurant: Schema.String, guests: Schema.Int }),
  failure: NoTableFree,
  approval: true
})

/** Keeps the tables that are left, for as long as the layer lives. */
export const BookTableLive = Layer.unwrapEffect(
  Effect.map(Ref.make(new Map(restaurants.map(({ name, tables }) => [name, tables]))), (left) =>
    Tool.layer(bookTable, ({ guests, restaurant }) =>
      Effect.gen(function* () {
        const free = (yield* Ref.get(left)).get(restaurant) ?? 0
        if (free === 0) return yield* new NoTableFree({ restaurant })
        yield* Ref.update(left, (map) => new Map(map).set(restaurant, free - 1))
        return { reference: `${restaurant.slice(0, 2).toUpperCase()}-${free}`, restaurant, guests }
      })
    )
  )
)
