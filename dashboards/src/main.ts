/**
 * Writes dashboards, rules and what provisions them: `npm run dashboards`.
 *
 * Ends with 0, or with 2 when a file cannot be written.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generatedFiles } from './generated-files.ts'

const HELP = `Usage: npm run dashboards

Writes dashboards/grafana, dashboards/rules and dashboards/provisioning from dashboards/src, and removes from
those folders what is no longer written.
`

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url))
const FOLDERS = ['dashboards/grafana', 'dashboards/rules', 'dashboards/provisioning']

process.exitCode = main(process.argv.slice(2))

function main(args: readonly string[]): number {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP)
    return 0
  }
  if (args.length > 0) {
    process.stderr.write(`unknown argument "${args[0]}"\n\n${HELP}`)
    return 2
  }
  try {
    const files = generatedFiles()
    for (const folder of FOLDERS) removeOthers(folder, files)
    for (const [path, content] of files) {
      mkdirSync(dirname(join(CHECKOUT, path)), { recursive: true })
      writeFileSync(join(CHECKOUT, path), content)
    }
    process.stdout.write(`Wrote ${files.size} files to ${FOLDERS.join(', ')}.\n`)
    return 0
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    return 2
  }
}

function removeOthers(folder: string, files: ReadonlyMap<string, string>): void {
  if (!existsSync(join(CHECKOUT, folder))) return
  for (const name of readdirSync(join(CHECKOUT, folder), { recursive: true, withFileTypes: true })) {
    const path = join(folder, name.parentPath.slice(join(CHECKOUT, folder).length), name.name)
    if (name.isFile() && !files.has(path)) rmSync(join(CHECKOUT, path))
  }
}
