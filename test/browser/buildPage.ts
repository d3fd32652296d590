import { fileURLToPath } from "node:url"
import { build } from "vite"
import { chromium } from "../chromium.js"

/** The page is tested as it is built. */
export default async function setup(): Promise<void> {
  if (chromium === undefined) {
    throw new Error("There is no Chromium. Install Debian's chromium-headless-shell, or name one in CHROMIUM.")
  }
  await build({ configFile: fileURLToPath(new URL("../../.build/page.ts", import.meta.url)) })
}
