import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"

const decoded = (text: string): string => decodeURIComponent(text.replaceAll("&amp;", "&").replaceAll("&quot;", '"'))

/** The links in a folder of HTML that lead nowhere, with the page that has them. */
export const brokenLinks = (folder: string): ReadonlyArray<string> => {
  const pages = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".html"))
  const texts = new Map(pages.map((page) => [join(folder, page), readFileSync(join(folder, page), "utf8")]))
  const anchors = new Map<string, ReadonlySet<string>>()
  const anchorsOf = (path: string): ReadonlySet<string> => {
    const known = anchors.get(path)
    if (known !== undefined) return known
    const found = new Set(
      Array.from((texts.get(path) ?? "").matchAll(/ (?:id|name)="([^"]*)"/g), ([, id = ""]) => decoded(id))
    )
    anchors.set(path, found)
    return found
  }
  const leadsNowhere = (page: string, link: string): boolean => {
    const [path = "", anchor = ""] = link.split("#").map(decoded)
    const target = path === "" ? page : resolve(dirname(page), path)
    if (!existsSync(target) || statSync(target).isDirectory()) return true
    return anchor !== "" && texts.has(target) && !anchorsOf(target).has(anchor)
  }
  return [...texts].flatMap(([page, text]) =>
    Array.from(text.matchAll(/<a [^>]*?href="([^"]*)"/g), ([, link = ""]) => link)
      .filter((link) => !/^[a-z]+:/.test(link) && link !== "#" && leadsNowhere(page, link))
      .map((link) => `${relative(folder, page)} links to ${link}, which is not there.`)
  )
}
