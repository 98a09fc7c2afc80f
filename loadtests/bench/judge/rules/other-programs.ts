import { list, number } from '@hopwhistle/platform/document/figures.ts'
import { ANY_NEIGHBOUR } from '@hopwhistle/platform/machine/place.ts'
import { duringPhase, type Evidence, invalid, mean, type Rule, remark } from '../../evidence/evidence.ts'
import { machineCpuOf } from '../../evidence/machine-cpu.ts'
import type { Environment } from '../../sample/environment.ts'
import type { ServerEvidence } from '../../sample/server-evidence.ts'

/** As a part of the machine: what the kernel does for the network is in nobody's account, and is less than this. */
const ALLOWED = 0.2
/** What used less than this, in cores, is not named. */
const LEAST_NAMED = 0.01
const MOST_NAMES = 5

/**
 * The machine was there for the measurement: what other programs used, the platform and k6 lacked. Those that were
 * declared as neighbours belong to the machine.
 */
export const otherPrograms: Rule = {
  name: 'other-programs',
  check({ server, result, metrics }) {
    const cpu = server === undefined ? undefined : machineCpuOf(server, duringPhase(result, server))
    if (cpu === undefined || server === undefined || server.processes.length === 0) return []
    const named = namedOthers(server, result)
    const { neighbours = [] } = (result.environment ?? {}) as Partial<Environment>
    const isDeclared = (name: string) => neighbours.includes(name)
    const declared = neighbours.includes(ANY_NEIGHBOUR)
      ? cpu.others
      : named.filter(({ name }) => isDeclared(name)).reduce((sum, { cores }) => sum + cores, 0)
    const others = cpu.others - declared
    if (others < ALLOWED * cpu.cores) return []
    const names = named
      .filter(({ name, cores }) => !isDeclared(name) && cores >= LEAST_NAMED)
      .toSorted((a, b) => b.cores - a.cores)
      .slice(0, MOST_NAMES)
    const who = names.length === 0 ? '' : `: ${list(names.map(({ name, cores }) => `${name} ${number(cores, 2)}`))}`
    const figures = `other programs used ${number(others, 2)} of ${cpu.cores} cores${who}`
    const misses = metrics.filter(({ status }) => status === 'missed').map(({ label }) => label)
    if (misses.length === 0) return [remark(`${figures}; the platform and k6 lacked them`)]
    return [invalid(`${figures}; a miss (${list(misses)}) may be their doing`)]
  },
}

const namedOthers = (server: ServerEvidence, result: Evidence['result']) => {
  const during = duringPhase(result, server)
  return (server.otherPrograms ?? []).map(({ name, cpuCores }) => ({ name, cores: mean(during(cpuCores)) ?? 0 }))
}
