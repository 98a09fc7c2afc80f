import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'

export type PortHolder = { readonly name: string; readonly pid: number }

/** How many sockets listen on a TCP port; 0 outside Linux. */
export function countListeners(port: number): number {
  try {
    return listeners(port).size
  } catch {
    return 0
  }
}

/** The processes that listen on a TCP port, one for each socket, as far as this user can see; Linux only. */
export function portHolders(port: number): readonly PortHolder[] {
  try {
    const inodes = listeners(port)
    if (inodes.size === 0) return []
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) =>
        Array.from({ length: socketsAmong(pid, inodes) }, () => ({ name: nameOf(pid), pid: Number(pid) })),
      )
  } catch {
    // Not Linux, or no permission.
    return []
  }
}

const LISTEN = '0A'

const listeners = (port: number): ReadonlySet<string> =>
  new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listenersOn(table, port)))

function listenersOn(table: string, port: number): readonly string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return readFileSync(table, 'latin1')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTEN && local?.endsWith(`:${hex}`))
    .map((fields) => `socket:[${fields[9]}]`)
}

/** How many of these sockets a process has. */
function socketsAmong(pid: string, inodes: ReadonlySet<string>): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).filter((fd) => inodes.has(linkOf(`/proc/${pid}/fd/${fd}`))).length
  } catch {
    return 0
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    // It has been closed.
    return ''
  }
}

function nameOf(pid: string): string {
  try {
    // Its command, and no argument; Node calls its threads otherwise.
    const [command = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split(/[\0 ]/)
    return basename(command) || readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return 'a process that has ended'
  }
}
