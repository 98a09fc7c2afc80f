/**
 * Finds tools, and installs those that are missing: node platform/install-tools.ts [NAME…], without names all of them.
 *
 * Redis and k6 are needed by everything that measures; it ends with 2 when one cannot be had, saying what to do. Helm
 * is needed for the charts only, gitleaks and actionlint for `make check`: without them, it says so.
 */
import { EXIT, Failure } from './command-line/failure.ts'
import { openTerminal } from './command-line/terminal.ts'
import { findActionlint } from './tools/find-actionlint.ts'
import { findGitleaks } from './tools/find-gitleaks.ts'
import { findHelm } from './tools/find-helm.ts'
import { findK6 } from './tools/find-k6.ts'
import { findRedis } from './tools/find-redis.ts'

const FIND = {
  redis: findRedis,
  k6: findK6,
  helm: findHelm,
  gitleaks: findGitleaks,
  actionlint: findActionlint,
} as const
const OPTIONAL: readonly string[] = ['helm', 'gitleaks', 'actionlint']

const terminal = openTerminal()
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(FIND)
for (const name of names) {
  try {
    if (!(name in FIND)) throw new Failure(`${name} is none of ${Object.keys(FIND).join(', ')}`)
    await FIND[name as keyof typeof FIND](terminal)
  } catch (error) {
    terminal.clear()
    process.stderr.write(`${error instanceof Failure ? error.message : ((error as Error).stack ?? error)}\n`)
    if (OPTIONAL.includes(name) && error instanceof Failure) continue
    process.exitCode = EXIT.failed
    break
  }
}
