/** Writes the table of all events: `npm run docs:events`. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../child.js"
import { eventsPage } from "./eventsPage.js"

writeFileSync(join(root, "docs/events.md"), eventsPage())
