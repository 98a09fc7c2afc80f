/**
 * Says which processes that the tests started still run, and kills them: `node tooling/find-leftovers.ts PID`.
 * Those are the ones, started after process PID, that work in the checkout or in TMPDIR.
 *
 * Exits with 0 when there is none, else with 1. Reads /proc, so that elsewhere than on Linux it finds none.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

const since = Number(process.argv[2])
if (!Number.isInteger(since)) throw new Error('usage: node tooling/find-leftovers.ts PID')

const folders = [process.cwd(), process.env.TMPDIR].filter((folder) => folder !== undefined)
const own = new Set(ancestors(process.pid))
const left = processes().filter((pid) => !own.has(pid) && startOf(pid) >= startOf(since) && isOurs(pid))
for (const pid of left) {
  process.stdout.write(`still running: ${pid} ${commandOf(pid)}\n`)
  process.kill(pid, 'SIGKILL')
}
process.exitCode = left.length === 0 ? 0 : 1

function processes(): readonly number[] {
  if (!existsSync('/proc')) return []
  return readdirSync('/proc').map(Number).filter(Number.isInteger)
}

function ancestors(pid: number): readonly number[] {
  const parent = /^PPid:\s*(\d+)/m.exec(read(pid, 'status'))?.[1]
  return parent === undefined || pid === 0 ? [pid] : [pid, ...ancestors(Number(parent))]
}

/** In clock ticks since the machine started; NaN when it has ended. The name in parentheses may hold anything. */
function startOf(pid: number): number {
  return Number(read(pid, 'stat').split(') ').at(-1)?.split(' ')[19] ?? Number.NaN)
}

function isOurs(pid: number): boolean {
  return [link(pid, 'cwd'), link(pid, 'exe'), ...read(pid, 'cmdline').split('\0')].some((path) =>
    folders.some((folder) => path === folder || path.startsWith(`${folder}/`)),
  )
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
