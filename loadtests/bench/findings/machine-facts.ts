import { busyCoresOf, usableCoresOf } from '../evidence/machine-cpu.ts'
import type { ServerEvidence } from '../sample/server-evidence.ts'
import type { During } from './during.ts'
import type { MachineFacts, OtherProgramFacts, ProcessFacts } from './facts.ts'
import { known, statOf } from './stat.ts'

/** @returns undefined when the machine was not sampled during the peak */
export function machineFacts(server: ServerEvidence, during: During): MachineFacts | undefined {
  const { machine } = server
  if (machine === undefined) return undefined
  const { quota, cpuCores, disk, loopback, memoryTotalBytes } = machine
  const busyCores = statOf(busyCoresOf(server, during))
  if (busyCores === undefined) return undefined
  return known({
    cores: usableCoresOf(machine),
    throttled: quota && statOf(during(quota.throttled)),
    busyCores,
    iowaitCores: statOf(during(cpuCores.iowait)),
    // Under a quota it is no part of what is counted as busy.
    stealCores: quota === undefined ? statOf(during(cpuCores.steal)) : undefined,
    memoryTotalBytes,
    memoryUsedBytes: statOf(during(machine.memoryAvailableBytes).map((free) => memoryTotalBytes - free)),
    diskBusy: statOf(during(disk.busy)),
    diskWriteBytesPerSecond: statOf(during(disk.writeBytesPerSecond)),
    loopbackBytesPerSecond: statOf(during(loopback.bytesPerSecond)),
  })
}

export function processFacts({ processes }: ServerEvidence, during: During): readonly ProcessFacts[] {
  return processes.flatMap(({ name, kind, cpuCores, memoryBytes, openFiles }) => {
    const cpu = statOf(during(cpuCores))
    if (cpu === undefined) return []
    return [
      known({
        name,
        kind,
        cpuCores: cpu,
        memoryBytes: statOf(during(memoryBytes)),
        openFiles: statOf(during(openFiles)),
      }),
    ]
  })
}

/** @returns undefined when they were not looked at */
export function otherProgramFacts(
  { otherPrograms }: ServerEvidence,
  during: During,
): readonly OtherProgramFacts[] | undefined {
  return otherPrograms?.flatMap(({ name, cpuCores }) => {
    const cpu = statOf(during(cpuCores))
    return cpu === undefined ? [] : [{ name, cores: cpu.mean }]
  })
}
