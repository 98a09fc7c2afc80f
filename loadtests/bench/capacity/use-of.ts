import { duringPhase, evidenceOf, mean } from '../evidence/evidence.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { trafficOf } from '../evidence/traffic.ts'
import { factsOf } from '../findings/facts-of.ts'
import { limitText } from '../findings/limit-text.ts'
import { isSaturated, resourcesOf } from '../findings/resources.ts'
import { rounded } from '../findings/stat.ts'
import type { Use } from './capacity-result.ts'

/** What a step did and took during its peak. @returns undefined when k6 or the servers left nothing to know it by */
export function useOf(step: LoadtestResult): Use | undefined {
  const { server, runners } = step
  const { kinds, totals, peakSeconds } = evidenceOf(step, 'step')
  const facts = factsOf(step)
  if (server === undefined || facts.machine === undefined || peakSeconds === 0) return undefined
  const during = duringPhase(step, server)
  const perSecond = (kind: (typeof kinds)[number]) =>
    kinds.includes(kind) ? trafficOf(kind, totals, 'peak').ok / peakSeconds : 0
  const cores = (name: RegExp) =>
    rounded(facts.processes.reduce((sum, one) => (name.test(one.name) ? sum + one.cpuCores.mean : sum), 0))
  const full = resourcesOf(facts).some((one) => one.id === 'machine cpu' && isSaturated(one))
  const limitedBy = limitText(facts)
  return {
    events: rounded(perSecond('updates') + perSecond('messages')),
    reports: rounded(perSecond('reports')),
    subscribers: runners[0]?.settings.subscribers ?? 0,
    cpu: {
      api: cores(/^api-/),
      primary: cores(/^postgres primary$/),
      replica: cores(/^postgres replica$/),
      redis: cores(/^redis$/),
      k6: cores(/^k6$/),
      machine: facts.machine.busyCores.mean,
    },
    connections: rounded(server.api.reduce((sum, { usage }) => sum + (mean(during(usage.postgres_pool)) ?? 0), 0)),
    ...(limitedBy === undefined ? {} : { limitedBy }),
    ...(full ? { machineIsFull: true } : {}),
  }
}
