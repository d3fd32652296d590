/**
 * What people say to an assistant, and the calls that they expect of it. The tools are those of six assistants, with
 * schemas as they are written in practice. "Now" is Wednesday, 4 March 2026, ten in the morning, where the tests run.
 */
import type { FunctionTool } from "../../../src/embedded/Mind.js"

const tool = (
  name: string,
  description: string,
  properties: Record<string, unknown>,
  required: ReadonlyArray<string>
): FunctionTool => ({
  name,
  description,
  parameters: { type: "object", properties, required, additionalProperties: false }
})

const text = (description?: string) => ({ type: "string", ...(description === undefined ? {} : { description }) })
const date = { type: "string", format: "date" }
const clock = { type: "string", description: "24-hour clock, HH:MM" }
const weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
const currency = { type: "string", enum: ["USD", "EUR", "GBP", "JPY", "CHF"] }
const accounts = ["checking", "savings", "credit card"]

const assistants = {
  clinic: [
    tool(
      "book_appointment",
      "Books an appointment with the dentist",
      { first_name: text(), last_name: text(), date, time: clock, reason: text("Why the patient comes") },
      ["first_name", "last_name", "date", "reason"]
    ),
    tool("cancel_appointment", "Cancels an appointment", { patient_name: text(), date }, ["patient_name", "date"]),
    tool(
      "update_contact",
      "Changes the phone number or the email address of a patient",
      { phone: text(), email: { type: "string", format: "email" } },
      []
    ),
    tool("opening_hours", "When the practice is open", { day: { type: "string", enum: weekdays } }, [])
  ],
  restaurant: [
    tool(
      "book_table",
      "Reserves a table",
      {
        guests: { type: "integer", minimum: 1 },
        date,
        time: clock,
        name: text("Whom the table is for"),
        outdoor: { type: "boolean" }
      },
      ["guests", "date", "time", "name"]
    ),
    tool(
      "order_food",
      "Orders dishes from the kitchen",
      {
        items: {
          type: "array",
          items: {
            type: "object",
            properties: { dish: text(), quantity: { type: "integer" } },
            required: ["dish", "quantity"]
          }
        }
      },
      ["items"]
    ),
    tool("add_note", "Adds a note for the waiter", { text: text() }, ["text"])
  ],
  bank: [
    tool(
      "transfer_money",
      "Sends or pays money to somebody",
      { amount: { type: "number" }, currency, recipient: text() },
      ["amount", "currency", "recipient"]
    ),
    tool("get_balance", "The balance of an account", { account: { type: "string", enum: accounts } }, ["account"]),
    tool(
      "block_card",
      "Blocks a card that is lost or stolen",
      {
        last_four: { type: "string", pattern: "^\\d{4}$", description: "The last four digits of its number" },
        reason: { type: "string", enum: ["lost", "stolen", "damaged"] }
      },
      ["last_four"]
    ),
    tool("list_transactions", "Lists the transactions of a period", { from: date, to: date }, ["from", "to"])
  ],
  home: [
    tool(
      "set_light",
      "Turns the light of a room on or off, or dims it",
      {
        room: { type: "string", enum: ["kitchen", "living room", "bedroom"] },
        on: { type: "boolean" },
        brightness: { type: "integer", minimum: 0, maximum: 100, description: "In percent" }
      },
      ["room"]
    ),
    tool("set_thermostat", "Sets the temperature in degrees", { temperature: { type: "number" } }, ["temperature"]),
    tool("set_timer", "Starts a timer", { duration_seconds: { type: "integer" }, label: text() }, ["duration_seconds"]),
    tool(
      "set_alarm",
      "Sets an alarm to wake up",
      { time: clock, days: { type: "array", items: { type: "string", enum: weekdays } } },
      ["time"]
    ),
    tool("send_message", "Sends a text message to a contact", { to: text("Name of the contact"), message: text() }, [
      "to",
      "message"
    ]),
    tool(
      "set_reminder",
      "Reminds the user of something",
      { text: text(), remind_at: { type: "string", format: "date-time" } },
      ["text", "remind_at"]
    ),
    tool("play_music", "Plays music", { song: text(), artist: text() }, ["song"])
  ],
  travel: [
    tool(
      "search_flights",
      "Finds flights",
      {
        origin: text("City"),
        destination: text("City"),
        departure_date: date,
        return_date: date,
        passengers: { type: "integer" },
        cabin: { type: "string", enum: ["economy", "business", "first"] },
        nonstop: { type: "boolean" }
      },
      ["origin", "destination", "departure_date"]
    ),
    tool("get_weather", "Weather in a city", { city: text() }, ["city"]),
    tool(
      "convert_currency",
      "Converts an amount of money to another currency",
      { amount: { type: "number" }, from: currency, to: currency },
      ["amount", "from", "to"]
    ),
    tool(
      "book_hotel",
      "Books a room in a hotel",
      { city: text(), check_in: date, nights: { type: "integer" }, guests: { type: "integer" } },
      ["city", "check_in", "nights"]
    )
  ],
  shop: [
    tool("track_order", "Finds out where an order is", { order_id: text() }, ["order_id"]),
    tool("search_products", "Searches for products", { query: text(), max_price: { type: "number" } }, ["query"]),
    tool("return_item", "Starts the return of an order", { order_id: text(), reason: text() }, ["order_id", "reason"]),
    tool("add_to_cart", "Puts a product into the cart", { product: text(), quantity: { type: "integer" } }, [
      "product",
      "quantity"
    ]),
    tool(
      "update_address",
      "Changes the address that orders are delivered to",
      { street: text("Street and number"), city: text(), postal_code: text() },
      ["street", "city", "postal_code"]
    ),
    tool("apply_coupon", "Applies a coupon", { code: text() }, ["code"])
  ]
} satisfies Record<string, ReadonlyArray<FunctionTool>>

export const toolsOf = (assistant: Assistant): ReadonlyArray<FunctionTool> => assistants[assistant]

export type Assistant = keyof typeof assistants

export type Expected =
  | { readonly name: string; readonly args: Record<string, unknown> }
  /** A question for this property. */
  | { readonly asks: string }

export interface Row {
  readonly assistant: Assistant
  /** One sentence, or several turns: the user's sentences, each of which but the last is answered by a question. */
  readonly said: ReadonlyArray<string>
  readonly expected: ReadonlyArray<Expected>
  /** The router's wrong reading, if it is known to misread the sentence. */
  readonly present?: ReadonlyArray<Expected | { readonly says: string }>
}

const row = (
  assistant: Assistant,
  said: string | ReadonlyArray<string>,
  ...expected: ReadonlyArray<Expected>
): Row => ({
  assistant,
  said: typeof said === "string" ? [said] : said,
  expected
})

const wrong = (row: Row, ...present: NonNullable<Row["present"]>): Row => ({ ...row, present })

/** None of the sentence's words belongs to a tool. */
const notMine = (row: Row, tools: string): Row =>
  wrong(row, { says: `I am a small offline model, and none of my tools fits that. I can help with: ${tools}.` })

const call = (name: string, args: Record<string, unknown>): Expected => ({ name, args })
const asks = (property: string): Expected => ({ asks: property })

export const now = new Date(2026, 2, 4, 10, 0)

/** A moment as RFC 3339 has it, with the offset of the place where the tests run. */
const at = (month: number, day: number, hour: number, minute = 0): string => {
  const two = (value: number) => String(value).padStart(2, "0")
  const offset = -new Date(2026, month - 1, day, hour, minute).getTimezoneOffset()
  const zone =
    offset === 0
      ? "Z"
      : `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
  return `2026-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:00${zone}`
}

/** What the mind was made with: written before it was changed, and looked at while it was. */
export const sentences: ReadonlyArray<Row> = [
  row(
    "clinic",
    "Book an appointment for Maria Lopez tomorrow, she needs a cleaning.",
    call("book_appointment", { first_name: "Maria", last_name: "Lopez", date: "2026-03-05", reason: "cleaning" })
  ),
  row(
    "clinic",
    "I'd like to see the dentist on March 12th at half past two, my name is John Smith and my tooth hurts.",
    call("book_appointment", {
      first_name: "John",
      last_name: "Smith",
      date: "2026-03-12",
      time: "14:30",
      reason: "my tooth hurts"
    })
  ),
  row(
    "clinic",
    "Schedule Anna Schmidt for a root canal next Monday at 9am",
    call("book_appointment", {
      first_name: "Anna",
      last_name: "Schmidt",
      date: "2026-03-09",
      time: "09:00",
      reason: "root canal"
    })
  ),
  row(
    "clinic",
    "Book a checkup for John Carter, sorry, James Carter, on Tuesday",
    call("book_appointment", { first_name: "James", last_name: "Carter", date: "2026-03-10", reason: "checkup" })
  ),
  row(
    "clinic",
    "Cancel the appointment of Peter O'Neill on Friday",
    call("cancel_appointment", { patient_name: "Peter O'Neill", date: "2026-03-06" })
  ),
  row("clinic", "My new phone number is +1 415 555 0134", call("update_contact", { phone: "+1 415 555 0134" })),
  row(
    "clinic",
    "Please change my email to jane.doe@example.org, not the old one.",
    call("update_contact", { email: "jane.doe@example.org" })
  ),
  row("clinic", "Are you open on Saturday?", call("opening_hours", { day: "saturday" })),
  row(
    "clinic",
    ["Book an appointment for tomorrow", "Maria", "Lopez", "a cleaning"],
    call("book_appointment", { first_name: "Maria", last_name: "Lopez", date: "2026-03-05", reason: "cleaning" })
  ),
  row(
    "restaurant",
    "A table for four tonight at eight, under the name Garcia.",
    call("book_table", { guests: 4, date: "2026-03-04", time: "20:00", name: "Garcia" })
  ),
  row(
    "restaurant",
    "Could we get a table for two on the 14th at 7:30 pm? The name is Okafor, and outdoors please.",
    call("book_table", { guests: 2, date: "2026-03-14", time: "19:30", name: "Okafor", outdoor: true })
  ),
  row(
    "restaurant",
    "Reserve a table for six people on 2026-12-24 at 18:30 for Anna Berg, not outdoor.",
    call("book_table", { guests: 6, date: "2026-12-24", time: "18:30", name: "Anna Berg", outdoor: false })
  ),
  row(
    "restaurant",
    ["Book a table for three tomorrow at noon.", "Kim"],
    call("book_table", { guests: 3, date: "2026-03-05", time: "12:00", name: "Kim" })
  ),
  row(
    "restaurant",
    "I'd like to order two margheritas and a tiramisu",
    call("order_food", {
      items: [
        { dish: "margherita", quantity: 2 },
        { dish: "tiramisu", quantity: 1 }
      ]
    })
  ),
  row("restaurant", "Add a note: no peanuts, I'm allergic", call("add_note", { text: "no peanuts, I'm allergic" })),
  row("bank", "Send 50 euros to Paul", call("transfer_money", { amount: 50, currency: "EUR", recipient: "Paul" })),
  row(
    "bank",
    "Transfer $1,250.75 to Acme Corp please",
    call("transfer_money", { amount: 1250.75, currency: "USD", recipient: "Acme Corp" })
  ),
  row(
    "bank",
    "Pay Laura twenty-five pounds",
    call("transfer_money", { amount: 25, currency: "GBP", recipient: "Laura" })
  ),
  row(
    "bank",
    "Send ten dollars to Bob, no, twenty",
    call("transfer_money", { amount: 20, currency: "USD", recipient: "Bob" })
  ),
  row(
    "bank",
    "Transfer two and a half thousand dollars to Nina Patel",
    call("transfer_money", { amount: 2500, currency: "USD", recipient: "Nina Patel" })
  ),
  row("bank", "How much do I have in savings?", call("get_balance", { account: "savings" })),
  row(
    "bank",
    "What's the balance of my checking account and of my credit card?",
    call("get_balance", { account: "checking" }),
    call("get_balance", { account: "credit card" })
  ),
  row(
    "bank",
    "I lost my card ending in 4421, block it please",
    call("block_card", { last_four: "4421", reason: "lost" })
  ),
  wrong(
    row(
      "bank",
      "Show me my transactions from January 1st to January 31st",
      call("list_transactions", { from: "2026-01-01", to: "2026-01-31" })
    ),
    call("list_transactions", { from: "2027-01-01", to: "2027-01-31" })
  ),
  row("home", "Turn the kitchen light off", call("set_light", { room: "kitchen", on: false })),
  row("home", "Dim the bedroom lights to 30 percent", call("set_light", { room: "bedroom", brightness: 30 })),
  row(
    "home",
    "Don't turn on the light in the living room, turn it off",
    call("set_light", { room: "living room", on: false })
  ),
  row("home", "Set a timer for an hour and a half", call("set_timer", { duration_seconds: 5400 })),
  row("home", "Set a timer for 90 seconds for the eggs", call("set_timer", { duration_seconds: 90, label: "eggs" })),
  row("home", ["Set a timer", "ten minutes"], call("set_timer", { duration_seconds: 600 })),
  row(
    "home",
    ["Set a timer", "Never mind, turn off the kitchen light"],
    call("set_light", { room: "kitchen", on: false })
  ),
  row("home", "Wake me up at quarter to seven", call("set_alarm", { time: "06:45" })),
  row(
    "home",
    "Set an alarm for 6:30 on Monday and Thursday",
    call("set_alarm", { time: "06:30", days: ["monday", "thursday"] })
  ),
  row(
    "home",
    "Text Sam I'm running ten minutes late",
    call("send_message", { to: "Sam", message: "I'm running ten minutes late" })
  ),
  row("home", "Tell Julia that dinner is ready", call("send_message", { to: "Julia", message: "dinner is ready" })),
  row(
    "home",
    'Send a message to Tom saying "the door is open" and switch off the bedroom light',
    call("send_message", { to: "Tom", message: "the door is open" }),
    call("set_light", { room: "bedroom", on: false })
  ),
  row(
    "home",
    "Turn on the kitchen light and set a timer for five minutes",
    call("set_light", { room: "kitchen", on: true }),
    call("set_timer", { duration_seconds: 300 })
  ),
  row(
    "home",
    "Remind me to call the plumber tomorrow at 3pm",
    call("set_reminder", { text: "call the plumber", remind_at: at(3, 5, 15) })
  ),
  row("home", "Make it 21.5 degrees", call("set_thermostat", { temperature: 21.5 })),
  row("home", "play Bohemian Rhapsody by Queen", call("play_music", { song: "Bohemian Rhapsody", artist: "Queen" })),
  row(
    "travel",
    "I need a flight from Berlin to Lisbon on May 3rd for two people",
    call("search_flights", {
      origin: "Berlin",
      destination: "Lisbon",
      departure_date: "2026-05-03",
      passengers: 2
    })
  ),
  row(
    "travel",
    "Find business class flights from New York to San Francisco, leaving June 1st and coming back June 10th",
    call("search_flights", {
      origin: "New York",
      destination: "San Francisco",
      departure_date: "2026-06-01",
      return_date: "2026-06-10",
      cabin: "business"
    })
  ),
  row(
    "travel",
    "nonstop flights from Paris to Rome tomorrow",
    call("search_flights", { origin: "Paris", destination: "Rome", departure_date: "2026-03-05", nonstop: true })
  ),
  row("travel", "I want to fly to Tokyo", asks("origin")),
  row("travel", "What's the weather like in Rio de Janeiro?", call("get_weather", { city: "Rio de Janeiro" })),
  row("travel", ["What's the weather?", "Paris"], call("get_weather", { city: "Paris" })),
  row("travel", ["What's the weather", "in san francisco please"], call("get_weather", { city: "san francisco" })),
  row("travel", "How much is 200 dollars in yen?", call("convert_currency", { amount: 200, from: "USD", to: "JPY" })),
  row(
    "travel",
    "I want a hotel in Vienna from 2026-07-10 for three nights, two guests",
    call("book_hotel", { city: "Vienna", check_in: "2026-07-10", nights: 3, guests: 2 })
  ),
  row("shop", "Where's my order AB-20394?", call("track_order", { order_id: "AB-20394" })),
  row("shop", ["Track my order", "It's A-1042."], call("track_order", { order_id: "A-1042" })),
  row(
    "shop",
    "I want to return order 7781, the zipper is broken",
    call("return_item", { order_id: "7781", reason: "the zipper is broken" })
  ),
  row(
    "shop",
    "Send order number 5512 back because it's too small",
    call("return_item", { order_id: "5512", reason: "it's too small" })
  ),
  row(
    "shop",
    "Look for black running shoes under 80 dollars",
    call("search_products", { query: "black running shoes", max_price: 80 })
  ),
  row("shop", "Put three bags of coffee in my cart", call("add_to_cart", { product: "bags of coffee", quantity: 3 })),
  row(
    "shop",
    "My address is 12 Baker Street, London, NW1 6XE",
    call("update_address", { street: "12 Baker Street", city: "London", postal_code: "NW1 6XE" })
  ),
  row("shop", "Use the code SPRING25", call("apply_coupon", { code: "SPRING25" })),
  row("shop", "Can I send something back?", asks("order_id"))
]

/** Written before the mind was changed, and first looked at when it was done. */
export const heldBack: ReadonlyArray<Row> = [
  notMine(
    row(
      "clinic",
      "Can you put Tom Becker down for a filling on Thursday at quarter past ten?",
      call("book_appointment", {
        first_name: "Tom",
        last_name: "Becker",
        date: "2026-03-05",
        time: "10:15",
        reason: "filling"
      })
    ),
    "book appointment, cancel appointment, update contact, opening hours"
  ),
  notMine(
    row(
      "clinic",
      "You can reach me at 030 1234567 or at k.weber@example.de",
      call("update_contact", { phone: "030 1234567", email: "k.weber@example.de" })
    ),
    "book appointment, cancel appointment, update contact, opening hours"
  ),
  row(
    "restaurant",
    "We're five, tomorrow at 7pm, the name is Rossi",
    call("book_table", { guests: 5, date: "2026-03-05", time: "19:00", name: "Rossi" })
  ),
  row(
    "bank",
    "wire three hundred and forty dollars to Marcus Lee",
    call("transfer_money", { amount: 340, currency: "USD", recipient: "Marcus Lee" })
  ),
  row("bank", "My card ending 9917 was stolen", call("block_card", { last_four: "9917", reason: "stolen" })),
  row(
    "home",
    "Remind me in two hours to take the bread out of the oven",
    call("set_reminder", { text: "take the bread out of the oven", remind_at: at(3, 4, 12) })
  ),
  row("home", ["Start a timer", "for twenty minutes"], call("set_timer", { duration_seconds: 1200 })),
  notMine(
    row(
      "travel",
      "Two tickets from Madrid to Oslo on the 20th of April, economy please",
      call("search_flights", {
        origin: "Madrid",
        destination: "Oslo",
        departure_date: "2026-04-20",
        passengers: 2,
        cabin: "economy"
      })
    ),
    "search flights, get weather, convert currency, book hotel"
  ),
  row("travel", "Is it going to rain in Buenos Aires?", call("get_weather", { city: "Buenos Aires" })),
  row(
    "shop",
    "Add a dozen eggs to my cart and tell me where order 9931 is",
    call("add_to_cart", { product: "eggs", quantity: 12 }),
    call("track_order", { order_id: "9931" })
  )
]
