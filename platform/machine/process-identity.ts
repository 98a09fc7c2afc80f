/**
 * A process is identified by its id and its start time, because ids are reused: process 4711 in an old file may be
 * another process now, which must not be signalled.
 */
import { execFileSync } from 'node:child_process'
import { readProcessStat } from './process-stat.ts'

export type ProcessIdentity = { readonly pid: number; readonly started: string }

/** @returns undefined when there is no such process, or it is a zombie */
export function identify(pid: number): ProcessIdentity | undefined {
  const started = process.platform === 'linux' ? startedOnLinux(pid) : startedElsewhere(pid)
  return started === undefined ? undefined : { pid, started }
}

export function isAlive(identity: ProcessIdentity): boolean {
  const found = identify(identity.pid)
  return found !== undefined && found.started === identity.started
}

function startedOnLinux(pid: number): string | undefined {
  try {
    const { state, started } = readProcessStat(pid)
    return state === 'Z' || state === 'X' ? undefined : started
  } catch {
    return undefined
  }
}

function startedElsewhere(pid: number): string | undefined {
  try {
    const [state = '', ...started] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .trim()
      .split(/\s+/)
    return started.length === 0 || state.startsWith('Z') ? undefined : started.join(' ')
  } catch {
    return undefined
  }
}
