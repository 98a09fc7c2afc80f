/**
 * Finds tools, and installs those that are missing: node platform/install-tools.ts [NAME…], without names all of them.
 *
 * Every measurement needs Redis and k6: without one of them it exits with 2 and says what to do. Only the charts need
 * Helm: without it, it only says so.
 */
import { EXIT, Failure } from './command-line/failure.ts'
import { openTerminal } from './command-line/terminal.ts'
import { findHelm } from './tools/find-helm.ts'
import { findK6 } from './tools/find-k6.ts'
import { findRedis } from './tools/find-redis.ts'

const FIND = { redis: findRedis, k6: findK6, helm: findHelm } as const
const OPTIONAL: readonly string[] = ['helm']

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
