/**
 * Exits with 0 when what node_modules has is what package-lock.json says, with 1 when not.
 *
 * npm keeps a list of what it installed in node_modules/.package-lock.json. Packages for other platforms are in the
 * lockfile and not in the list. Plain JavaScript, for the Node that is there before Node 24 is installed.
 */
import { existsSync, readFileSync } from 'node:fs'

const read = (file) => JSON.parse(readFileSync(file, 'utf8')).packages
const INSTALLED = 'node_modules/.package-lock.json'

/** A package is the same when its version and the hash of its content are. */
const same = (a, b) => a?.version === b?.version && a?.integrity === b?.integrity && a?.link === b?.link

function isInstalled() {
  if (!existsSync(INSTALLED) || !existsSync('node_modules/.bin/node')) return false
  const installed = read(INSTALLED)
  const locked = read('package-lock.json')
  const inModules = ([path]) => path.startsWith('node_modules/')
  return (
    Object.entries(installed)
      .filter(inModules)
      .every(([path, entry]) => same(entry, locked[path])) &&
    Object.entries(locked)
      .filter(inModules)
      .every(([path, entry]) => path in installed || entry.optional === true || entry.devOptional === true)
  )
}

process.exit(isInstalled() ? 0 : 1)
