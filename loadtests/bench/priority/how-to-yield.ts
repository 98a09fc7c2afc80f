/**
 * By which means the kernel lets the generator go before the platform's servers, from what it says of their processes.
 *
 * Linux shares the CPU among task groups first, and among the threads of a group by their nice value. Every session is
 * a task group of its own (an autogroup) where that is switched on and no cpu control group has the process; the nice
 * value of a thread means nothing outside its session then.
 */
import { cpuCgroupOf, type ReadFile, taskGroupOf } from '@hopwhistle/platform/machine/cpu-cgroup.ts'

export type HowToYield =
  /** `/proc/PID/autogroup` sets the weight of a session. */
  | { readonly method: 'autogroup' }
  /** Generator and servers are in one group: their nice values count. */
  | { readonly method: 'nice' }
  | { readonly method: 'none'; readonly why: string }

export type Surroundings = {
  readonly platform: NodeJS.Platform
  /** Texts of /proc/PID/cgroup. */
  readonly generator: string
  readonly servers: readonly string[]
  /** Text of /proc/self/mountinfo. */
  readonly mountinfo: string
  readonly read: ReadFile
}

export function howToYield({ platform, generator, servers, mountinfo, read }: Surroundings): HowToYield {
  if (platform === 'win32') return { method: 'none', why: 'not known how on Windows' }
  if (platform !== 'linux') return { method: 'nice' }
  const groupOf = (cgroup: string) => {
    const found = cpuCgroupOf(cgroup, mountinfo)
    return found && taskGroupOf(found, read)
  }
  const own = groupOf(generator)
  const foreign = servers.map(groupOf).filter((group) => group !== own)
  if (foreign.length > 0) {
    const name = (group: string | undefined) => group ?? 'the root group'
    const why = `the platform is in the control group ${name(foreign[0])} and k6 in ${name(own)}, whose weights count`
    return { method: 'none', why }
  }
  const autogroups = read('/proc/sys/kernel/sched_autogroup_enabled')?.trim() === '1'
  return { method: own === undefined && autogroups ? 'autogroup' : 'nice' }
}
