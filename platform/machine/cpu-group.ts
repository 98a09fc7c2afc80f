/** A CPU control group of this process's own: what is in it shares a quota. Linux only. */
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { waitUntil } from '../lib/wait-until.ts'
import { type CpuCgroup, cpuCgroupOfProcess } from './cpu-cgroup.ts'

export type CpuGroup = {
  readonly folder: string
  /** Moves a running process into the group, with all of its threads. */
  add(pid: number): void
  /** Waits until its processes have ended. */
  remove(): Promise<void>
}

/** The group may not be made; the message says why and what is needed. */
export class NoCpuGroup extends Error {
  override readonly name = 'NoCpuGroup'
}

/** The kernel gives the quota anew in each period, and what has used it up waits for the next: as Kubernetes has it. */
const PERIOD_US = 100_000
const PREFIX = 'hopwhistle-'

/**
 * @param quotaCores undefined: without a quota
 * @throws {NoCpuGroup}
 */
export function makeCpuGroup(name: string, quotaCores?: number): CpuGroup {
  const cgroup = process.platform === 'linux' ? cpuCgroupOfProcess('self') : undefined
  if (cgroup === undefined) throw new NoCpuGroup('there is no CPU control group on this machine; Linux has them')
  const folder = makeFolder(cgroup, `${PREFIX}${process.pid}-${name}`)
  if (quotaCores !== undefined) {
    const quota = String(Math.round(quotaCores * PERIOD_US))
    if (cgroup.version === 2) writeFileSync(join(folder, 'cpu.max'), `${quota} ${PERIOD_US}`)
    else {
      writeFileSync(join(folder, 'cpu.cfs_period_us'), String(PERIOD_US))
      writeFileSync(join(folder, 'cpu.cfs_quota_us'), quota)
    }
  }
  return {
    folder,
    add: (pid) => writeFileSync(join(folder, 'cgroup.procs'), String(pid)),
    remove: () =>
      waitUntil(
        `the control group ${name} to be empty`,
        () => {
          rmdirSync(folder)
          return true
        },
        { timeoutMs: 20_000, everyMs: 100 },
      ).then(() => {}),
  }
}

/** In the group of this process, or in the next one above it that hands the controller down. */
function makeFolder({ version, folders }: CpuCgroup, name: string): string {
  let why = ''
  for (const parent of folders) {
    removeLeftOvers(parent)
    const folder = join(parent, name)
    try {
      mkdirSync(folder)
    } catch (error) {
      why ||= (error as Error).message
      continue
    }
    if (existsSync(join(folder, version === 1 ? 'cpu.cfs_quota_us' : 'cpu.max'))) return folder
    why ||= `${parent} does not hand the cpu controller down`
    rmdirSync(folder)
  }
  throw new NoCpuGroup(
    `this user cannot make a CPU control group (${why}); ` +
      'run it as root, or in a scope of your own: systemd-run --user --scope -p Delegate=yes COMMAND',
  )
}

/** Groups of processes that were killed before they could remove them. */
function removeLeftOvers(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [, pid] = new RegExp(`^${PREFIX}(\\d+)-`).exec(name) ?? []
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue
    try {
      rmdirSync(join(parent, name))
    } catch {
      // Another user's, or its processes have not ended yet.
    }
  }
}
