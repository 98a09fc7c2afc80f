import { number, percent } from '@hopwhistle/platform/document/figures.ts'
import { duringPhase, invalid, mean, type Rule, remark } from '../../evidence/evidence.ts'
import type { PodEvidence } from '../../sample/server-evidence.ts'

/** As a part of the kernel's periods. From here on a latency may be the runner's own waiting. */
const ALLOWED = 0.05

const NOT_SEEN = 'the run was too short for its kubelet to look twice: it is not known whether the CPU'

/**
 * The CPU of no runner was throttled. Where the platform's is, that is what its limit is there for, and told.
 *
 * A kubelet looks every 10 to 15 s: where no look fell into a short peak, those of the whole run are taken.
 */
export const throttledCpu: Rule = {
  name: 'throttled-cpu',
  check({ server, result }) {
    if (server?.kubernetes === undefined) return []
    const duringPeak = duringPhase(result, server)
    const duringRamp = duringPhase(result, server, 'ramp')
    return server.kubernetes.pods.flatMap((pod) => {
      const part = mean(duringPeak(pod.throttled)) ?? mean(duringRamp(pod.throttled))
      if (part === undefined) return pod.kind === 'k6' ? [remark(`${NOT_SEEN} of ${pod.pod} was throttled`)] : []
      if (part < ALLOWED) return []
      const text = `CPU of ${pod.pod} was throttled in ${percent(part)} of the time${limitOf(pod)}`
      return [pod.kind === 'k6' ? invalid(`generator: the ${text}`) : remark(`the ${text}`)]
    })
  },
}

const limitOf = ({ cpuLimitCores }: PodEvidence): string =>
  cpuLimitCores === undefined ? '' : `; its limit is ${number(cpuLimitCores, 2)} cores`
