import type { Place } from '@hopwhistle/platform/machine/place.ts'
import type { Environment } from '../sample/environment.ts'
import type { Target } from './target.ts'

/** Where and with what this measurement is made. */
export function readEnvironment(place: Place, target: Target, k6Version: string): Environment {
  const { name, machine, source, neighbours } = place
  const { versions, apiInstances, apiSettings, replicas, onThisMachine } = target
  return {
    name,
    machine,
    ...(neighbours === undefined ? {} : { neighbours }),
    versions: { node: process.versions.node, ...versions, k6: k6Version },
    source,
    stack: { apiInstances, apiSettings, replicas, generatorOnSameMachine: onThisMachine },
  }
}
