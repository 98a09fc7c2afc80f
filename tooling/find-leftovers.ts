/**
 * Says which processes of a test run are still there, and kills them: `TMPDIR=DIR node tooling/find-leftovers.ts`.
 *
 * The run had a TMPDIR to itself, by which its processes are known: it is in their environment, or they work, keep
 * their program or write their output in it. They have some seconds to end by themselves, for a run that was killed is
 * tidied up by what it leaves behind.
 *
 * Exits with 0 when there is none, else with 1. Reads /proc, so that elsewhere than on Linux it finds none.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const GRACE_MS = 10_000

const folder = process.env.TMPDIR ?? ''
// Anything else may be shared with programs that are none of the run's.
if (!/\/hopwhistle-ci-\w+$/.test(folder))
  throw new Error(`TMPDIR is "${folder}"; it must be the run's own hopwhistle-ci-…`)

const own = new Set(ancestors(process.pid))
const deadline = performance.now() + GRACE_MS
while (findLeft().length > 0 && performance.now() < deadline) await sleep(100)
const left = findLeft()
for (const pid of left) {
  process.stdout.write(`still running: ${pid} ${commandOf(pid)}\n`)
  process.kill(pid, 'SIGKILL')
}
process.exitCode = left.length === 0 ? 0 : 1

function findLeft(): readonly number[] {
  if (!existsSync('/proc')) return []
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger)
  return pids.filter((pid) => !own.has(pid) && isOfTheRun(pid))
}

function ancestors(pid: number): readonly number[] {
  const parent = /^PPid:\s*(\d+)/m.exec(read(pid, 'status'))?.[1]
  return parent === undefined ? [pid] : [pid, ...ancestors(Number(parent))]
}

function isOfTheRun(pid: number): boolean {
  if (read(pid, 'environ').split('\0').includes(`TMPDIR=${folder}`)) return true
  const paths = [...['cwd', 'exe', 'fd/1', 'fd/2'].map((name) => link(pid, name)), ...read(pid, 'cmdline').split('\0')]
  return paths.some((path) => path === folder || path.startsWith(`${folder}/`))
}

function commandOf(pid: number): string {
  return read(pid, 'cmdline').replaceAll('\0', ' ').trim().slice(0, 200)
}

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return ''
  }
}

function link(pid: number, name: string): string {
  try {
    return readlinkSync(`/proc/${pid}/${name}`)
  } catch {
    return ''
  }
}
