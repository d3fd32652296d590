/**
 * Writes the API reference, with the guides, to `api`: `npm run docs`. Fails if a link leads nowhere, or if no
 * guide leads to a module.
 */
import { readFileSync, statSync } from "node:fs"
import { join, relative } from "node:path"
import {
  Application,
  Comment,
  type CommentDisplayPart,
  type DocumentReflection,
  type ProjectReflection,
  type Reflection,
  ReflectionKind,
  TSConfigReader,
  TypeDocReader
} from "typedoc"
import { brokenLinks } from "./links.js"

const root = join(import.meta.dirname, "../..")
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const repository = String(manifest.homepage).replace(/#.*$/, "")

const documentsOf = (project: ProjectReflection): ReadonlyArray<DocumentReflection> => project.documents ?? []
const modulesOf = (project: ProjectReflection) => project.getChildrenByKind(ReflectionKind.Module)

/** Named as people know them: a module by its file, a guide by its heading. */
const rename = (project: ProjectReflection): void => {
  for (const module of modulesOf(project)) module.name = module.name.replace(/^src\//, "")
  for (const document of documentsOf(project)) {
    const heading = /^# (.*)$/m.exec(Comment.combineDisplayParts(document.content))?.[1]
    if (heading !== undefined) document.name = heading
  }
}

/** What a page links to: a page of the reference, or a path in this repository. */
const targetOf = (project: ProjectReflection, part: CommentDisplayPart): Reflection | string | undefined =>
  part.kind === "relative-link" && part.target !== undefined ? project.files.resolve(part.target, project) : undefined

/** A link to what is no page leads to the repository, but for pictures, which are copied. */
const toRepository = (project: ProjectReflection, part: CommentDisplayPart): CommentDisplayPart => {
  const target = targetOf(project, part)
  if (typeof target !== "string" || target.endsWith(".svg")) return part
  const kind = statSync(target).isDirectory() ? "tree" : "blob"
  return { kind: "text", text: `${repository}/${kind}/HEAD/${relative(root, target)}` }
}

/** Says in each module which guides lead to it; gives the modules to which none does. */
const linkGuides = (project: ProjectReflection): ReadonlyArray<string> =>
  modulesOf(project).flatMap((module) => {
    const guides = documentsOf(project).filter(({ content }) =>
      content.some((part) => targetOf(project, part) === module)
    )
    module.comment ??= new Comment()
    module.comment.summary.push({ kind: "text", text: `\n\nGuides: ` })
    for (const [index, guide] of guides.entries()) {
      if (index > 0) module.comment.summary.push({ kind: "text", text: ", " })
      module.comment.summary.push({ kind: "inline-tag", tag: "@link", text: guide.name, target: guide })
    }
    return guides.length === 0 ? [module.name] : []
  })

const app = await Application.bootstrap({ options: import.meta.dirname }, [new TypeDocReader(), new TSConfigReader()])
const project = await app.convert()
if (project === undefined) throw new Error("TypeDoc could not read the sources.")
rename(project)
app.validate(project)
for (const name of linkGuides(project)) app.logger.warn(`No guide leads to the module ${name}.`)
if (project.readme !== undefined) project.readme = project.readme.map((part) => toRepository(project, part))
for (const document of documentsOf(project)) {
  document.content = document.content.map((part) => toRepository(project, part))
}
const out = app.options.getValue("out")
await app.generateDocs(project, out)
for (const link of brokenLinks(out)) app.logger.warn(link)
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1
