/** Whether the generator had the CPU that it needed, so that a miss is the platform's. */
import { list, number, percent } from '@hopwhistle/platform/document/figures.ts'
import { ANY_NEIGHBOUR } from '@hopwhistle/platform/machine/place.ts'
import { endOfPeak } from '../../../scenarios/lib/complete-run.ts'
import { provesTargets } from '../../../scenarios/lib/profiles.ts'
import { duringPhase, type Evidence, invalid, isWatched, mean, type Rule, remark } from '../../evidence/evidence.ts'
import { machineCpuOf } from '../../evidence/machine-cpu.ts'
import type { PodEvidence, ServerEvidence } from '../../sample/server-evidence.ts'

/** Too little CPU counts against a target that was missed. One that was met all the same is met. */
function matteringToMisses(metrics: Evidence['metrics'], text: string, invalidates: (misses: string) => string) {
  const misses = metrics.filter(({ status }) => status === 'missed').map(({ label }) => label)
  return misses.length === 0 ? remark(text) : invalid(invalidates(list(misses)))
}

const starvedGenerator = (metrics: Evidence['metrics'], figures: string) =>
  matteringToMisses(
    metrics,
    `${figures}: the latencies hold the generator's own waiting for CPU`,
    (misses) => `generator: ${figures}, so that a miss (${misses}) may be its own`,
  )

/** From here on a machine or a node has no CPU left, as a part of its cores. */
export const SATURATED = 0.97
/** From here on k6 is one of those that used it up. */
export const LARGE_SHARE = 0.25

/**
 * A miss is not for want of CPU in the generator.
 *
 * Where k6 shares the machine, it can run out of CPU together with what it measures. With the right of way it is the
 * platform that waits, and a miss is the platform's. Without it latencies hold the waiting of k6 as well: a target that
 * is met all the same is met, one that is missed may be missed by k6.
 */
export const generatorCpu: Rule = {
  name: 'generator-cpu',
  check({ server, result, metrics }) {
    if (server === undefined) return []
    const cpu = machineCpuOf(server, duringPhase(result, server))
    // Where the machine can be sampled, so can its processes.
    if ((cpu === undefined) !== (server.processes.length === 0)) {
      return ifMissed(metrics, 'it is not known how much of the CPU k6 and others used during the peak')
    }
    if (cpu === undefined) return []
    const { cores, k6 } = cpu
    const busy = cpu.busy / cores
    if (busy < SATURATED || k6 < LARGE_SHARE * cores) return []
    const figures = `the machine was ${percent(busy)} busy during the peak and k6 used ${number(k6, 2)} of ${cores} cores`
    const priority = result.environment?.generatorPriority
    if (priority !== undefined && priority.method !== 'none') {
      return [remark(`${figures}, with the right of way: it was the platform that waited for CPU`)]
    }
    return [starvedGenerator(metrics, figures)]
  },
}

/** As a part of the kernel's periods. From here on a latency may be the runner's own waiting. */
export const THROTTLED_CPU_ALLOWED = 0.05

/**
 * The CPU of no runner was throttled. Where the platform's is, that is what its limit is there for, and told.
 *
 * A kubelet looks every 10 to 15 s: where no look fell into a short peak, those of the whole run are taken.
 */
export const throttledCpu: Rule = {
  name: 'throttled-cpu',
  check({ server, result }) {
    const throttled = (server?.kubernetes?.pods ?? []).flatMap((pod) => {
      const part = throttledPart(result, pod)
      if (part === undefined || part < THROTTLED_CPU_ALLOWED) return []
      const text = `CPU of ${pod.pod} was throttled in ${percent(part)} of the time${limitOf(pod)}`
      return [pod.kind === 'k6' ? invalid(`generator: the ${text}`) : remark(`the ${text}`)]
    })
    return [...throttled, ...unknownThrottling(result)]
  },
}

function throttledPart(result: Evidence['result'], { throttled }: PodEvidence): number | undefined {
  const { server } = result
  if (server === undefined) return undefined
  return mean(duringPhase(result, server)(throttled)) ?? mean(duringPhase(result, server, 'ramp')(throttled))
}

/** Two looks of a kubelet at a pod take at most so long, and a moment until they are sampled. */
export const TWO_LOOKS_SECONDS = 32

/** Runners of which no kubelet told. Of a smoke run that is over too soon for it, which proves nothing, none has to. */
function unknownThrottling(result: Evidence['result']) {
  const { server, distributed, runners, profile } = result
  if (!isWatched(result)) return []
  const seconds = Math.max(...runners.map(endOfPeak))
  const isShort = server?.kubernetes !== undefined && seconds < TWO_LOOKS_SECONDS
  const why = isShort
    ? 'the run was too short for its kubelet to look twice'
    : (server?.omitted.find((sentence) => sentence.startsWith('Kubernetes')) ?? 'no kubelet told of it during the run')
  const unknown = (distributed?.runners ?? []).filter(({ pod: name }) => {
    const pod = server?.kubernetes?.pods.find((one) => one.kind === 'k6' && one.pod === name)
    return pod === undefined || throttledPart(result, pod) === undefined
  })
  if (unknown.length === 0) return []
  const text = `it is not known whether the CPU of ${runnersText(unknown.map(({ instance }) => instance))} was throttled: ${why}`
  return [isShort && !provesTargets(profile) ? remark(text) : invalid(text)]
}

const MOST_NAMED = 5

/** Some of many, all of a few. */
export function runnersText(instances: readonly string[]): string {
  const more = instances.length - MOST_NAMED
  const named = more > 1 ? [...instances.slice(0, MOST_NAMED), `${more} more`] : instances
  return `runner${instances.length === 1 ? '' : 's'} ${list(named)}`
}

const limitOf = ({ cpuLimitCores }: PodEvidence): string =>
  cpuLimitCores === undefined ? '' : `; its limit is ${number(cpuLimitCores, 2)} cores`

/** A miss is not for want of CPU on a node that a runner was on: the counterpart of `generator-cpu` in a cluster. */
export const nodeCpu: Rule = {
  name: 'node-cpu',
  check({ server, result, metrics }) {
    const { nodes = [], pods = [] } = server?.kubernetes ?? {}
    const during = server === undefined ? () => [] : duringPhase(result, server)
    const busyNodes = nodes.flatMap(({ name, cores, cpuCores }) => {
      const runners = pods.filter(({ kind, node }) => kind === 'k6' && node === name)
      const busy = (mean(during(cpuCores)) ?? 0) / cores
      if (runners.length === 0 || cores === 0 || busy < SATURATED) return []
      const used = runners.reduce((sum, pod) => sum + (mean(during(pod.cpuCores)) ?? 0), 0)
      const figures = `node ${name} was ${percent(busy)} busy during the peak, and its runners used ${number(used, 2)} of ${cores} cores`
      return [starvedGenerator(metrics, figures)]
    })
    if (!isWatched(result)) return busyNodes
    const isKnown = (node: string) =>
      nodes.some(({ name, cores, cpuCores }) => name === node && cores > 0 && during(cpuCores).length > 0)
    const unknown = [...new Set(result.distributed?.runners.map(({ node = 'of a runner' }) => node))]
      .filter((node) => !isKnown(node))
      .flatMap((node) => ifMissed(metrics, `it is not known whether node ${node} had CPU left during the peak`))
    return [...busyNodes, ...unknown]
  },
}

/** What is not known matters to a miss alone. */
const ifMissed = (metrics: Evidence['metrics'], text: string) =>
  [
    matteringToMisses(metrics, text, (misses) => `${text}, so that a miss (${misses}) may be the generator's own`),
  ].filter(({ effect }) => effect === 'invalid')

/** As a part of the machine: what the kernel does for the network is in nobody's account, and is less than this. */
const OTHER_PROGRAMS_ALLOWED = 0.2
/** The same where no CPU was left: there the platform waited for whatever others used. */
const ALLOWED_WHEN_SATURATED = 1 / 12
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
    const { neighbours = [] } = result.environment ?? {}
    const isDeclared = (name: string) => neighbours.includes(name)
    const declared = neighbours.includes(ANY_NEIGHBOUR)
      ? cpu.others
      : named.filter(({ name }) => isDeclared(name)).reduce((sum, { cores }) => sum + cores, 0)
    const others = cpu.others - declared
    const isSaturated = cpu.busy / cpu.cores >= SATURATED
    if (others < (isSaturated ? ALLOWED_WHEN_SATURATED : OTHER_PROGRAMS_ALLOWED) * cpu.cores) return []
    const names = named
      .filter(({ name, cores }) => !isDeclared(name) && cores >= LEAST_NAMED)
      .toSorted((a, b) => b.cores - a.cores)
      .slice(0, MOST_NAMES)
    const who = names.length === 0 ? '' : `: ${list(names.map(({ name, cores }) => `${name} ${number(cores, 2)}`))}`
    const figures = `other programs used ${number(others, 2)} of ${cpu.cores} cores${who}`
    const invalidates = (misses: string) => `${figures}; a miss (${misses}) may be their doing`
    return [matteringToMisses(metrics, `${figures}; the platform and k6 lacked them`, invalidates)]
  },
}

const namedOthers = (server: ServerEvidence, result: Evidence['result']) => {
  const during = duringPhase(result, server)
  return (server.otherPrograms ?? []).map(({ name, cpuCores }) => ({ name, cores: mean(during(cpuCores)) ?? 0 }))
}

/** As a part of the machine. */
const STOLEN_CPU_ALLOWED = 0.05

/** The host of a virtual machine left it its CPU. */
export const stolenCpu: Rule = {
  name: 'stolen-cpu',
  check({ server, result, metrics }) {
    if (server?.machine === undefined) return []
    const { cores, cpuCores } = server.machine
    const stolen = mean(duringPhase(result, server)(cpuCores.steal)) ?? 0
    if (stolen < STOLEN_CPU_ALLOWED * cores) return []
    const figures = `the host took ${number(stolen, 2)} of ${cores} cores away from this machine (steal)`
    const invalidates = (misses: string) => `${figures}, so that a miss (${misses}) may be its doing`
    return [matteringToMisses(metrics, figures, invalidates)]
  },
}
