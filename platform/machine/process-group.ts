/** Reads /proc for a server: its main process and all its descendants together. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { readProcessStat } from './process-stat.ts'

export type GroupReading = {
  /** CPU seconds used so far by the current processes, by process id. */
  readonly cpuSeconds: ReadonlyMap<number, number>
  readonly memoryBytes: number
  readonly processes: number
  readonly threads: number
  readonly openFiles: number
  /** Bytes that went to or came from the disk so far, by process id. */
  readonly diskRead: ReadonlyMap<number, number>
  readonly diskWritten: ReadonlyMap<number, number>
}

/** @returns undefined when the process has ended, or outside Linux */
export function readGroup(pid: number, { withDescendants = true } = {}): GroupReading | undefined {
  const cpuSeconds = new Map<number, number>()
  const diskRead = new Map<number, number>()
  const diskWritten = new Map<number, number>()
  let privateBytes = 0
  let sharedBytes = 0
  let threads = 0
  let openFiles = 0
  for (const member of withDescendants ? descendantsOf(pid) : [pid]) {
    try {
      const stat = readProcessStat(member)
      cpuSeconds.set(member, stat.cpuSeconds)
      threads += stat.threads
      const status = readFileSync(`/proc/${member}/status`, 'latin1')
      privateBytes += kilobytes(status, 'RssAnon')
      sharedBytes = Math.max(sharedBytes, kilobytes(status, 'RssShmem'))
      openFiles += readdirSync(`/proc/${member}/fd`).length
      const io = readFileSync(`/proc/${member}/io`, 'latin1')
      diskRead.set(member, Number(/^read_bytes: (\d+)/m.exec(io)?.[1] ?? 0))
      diskWritten.set(member, Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? 0))
    } catch {
      // It has ended, or belongs to another user, so that some files cannot be read.
    }
  }
  if (cpuSeconds.size === 0) return undefined
  return {
    cpuSeconds,
    memoryBytes: (privateBytes + sharedBytes) * 1024,
    processes: cpuSeconds.size,
    threads,
    openFiles,
    diskRead,
    diskWritten,
  }
}

/** This process and all its descendants. */
export const descendantsOf = (pid: number): readonly number[] =>
  process.platform === 'linux' ? descendantsOnLinux(pid) : descendantsByPs(pid)

function descendantsOnLinux(pid: number): readonly number[] {
  const members = [pid]
  for (let i = 0; i < members.length; i++) {
    try {
      const children = readFileSync(`/proc/${members[i]}/task/${members[i]}/children`, 'latin1')
      members.push(...children.split(' ').filter(Boolean).map(Number))
    } catch {
      // It has ended, or the kernel does not list children: then only the main process.
    }
  }
  return members
}

/** The same on any system that has `ps`. */
export function descendantsByPs(pid: number): readonly number[] {
  const members = [pid]
  try {
    const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], {
      encoding: 'latin1',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const pairs = table.split('\n').map((line) => line.trim().split(/\s+/).map(Number))
    for (const member of members) for (const [child, parent] of pairs) if (parent === member) members.push(child!)
  } catch {
    // Without ps: only the main process.
  }
  return members
}

function kilobytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
}
