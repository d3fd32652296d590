import { execFile } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./child.js"

/**
 * What the compiler says of programs as users write them. They lie below node_modules, so that neither git nor the
 * formatter sees them, and imports resolve as they do for a user.
 *
 * @param name of the folder
 * @param programs of which each is a file, named by its place here, such as `0.ts`
 */
export const compile = (name: string, programs: ReadonlyArray<string>): Promise<string> => {
  const folder = join(root, "node_modules/.cache", name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  // A program is a module of its own, even if it imports and exports nothing.
  for (const [index, text] of programs.entries()) writeFileSync(join(folder, `${index}.ts`), `${text}\nexport {}\n`)
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions: { noUnusedLocals: false, typeRoots: [join(root, "node_modules/@types")] },
      include: ["*.ts"],
      exclude: []
    })
  )
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"],
      { cwd: folder },
      (_, stdout, stderr) => resolve(stdout + stderr)
    )
  })
}
