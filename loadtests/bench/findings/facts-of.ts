import { duringPhase } from '../evidence/evidence.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import { apiFacts } from './api-facts.ts'
import type { Facts } from './facts.ts'
import { kubernetesFacts } from './kubernetes-facts.ts'
import { loadFacts } from './load-facts.ts'
import { machineFacts, otherProgramFacts, processFacts } from './machine-facts.ts'
import { postgresFacts } from './postgres-facts.ts'
import { redisFacts } from './redis-facts.ts'
import { known } from './stat.ts'
import { worstWindow } from './worst-window.ts'

/** Reduces a result to what findings are computed from. Pure. */
export function factsOf(result: LoadtestResult): Facts {
  const { server, scenario } = result
  const load = loadFacts(result)
  if (server === undefined) {
    return { scenario, load, processes: [], omitted: ['the servers were not sampled during this run'] }
  }
  const during = duringPhase(result, server)
  return known({
    scenario,
    load,
    machine: machineFacts(server, during),
    processes: processFacts(server, during),
    otherPrograms: otherProgramFacts(server, during),
    kubernetes: kubernetesFacts(server, during),
    api: apiFacts(scenario, server, during),
    postgres: postgresFacts(server, during),
    redis: redisFacts(server, during),
    worst: worstWindow(result, server),
    omitted: server.omitted,
  })
}
