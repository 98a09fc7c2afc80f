/** The k6 scenarios of live delivery: subscribers connect, then publishers send, then what is in flight arrives. */
import type { LiveShape } from './contract.scenarios.ts'
import { livePhases } from './lib.phases.ts'

/** For a script that exports `subscribe` and `publish`. */
export function liveScenarios(shape: LiveShape) {
  const lastSeconds = livePhases(shape).at(-1)?.toSeconds ?? 0
  return {
    subscribers: {
      executor: 'per-vu-iterations' as const,
      exec: 'subscribe',
      vus: shape.subscriberVUs,
      iterations: 1,
      maxDuration: `${lastSeconds + 10}s`,
    },
    publishers: {
      executor: 'per-vu-iterations' as const,
      exec: 'publish',
      vus: shape.publishers,
      iterations: 1,
      startTime: `${shape.connectSeconds}s`,
      maxDuration: `${lastSeconds - shape.connectSeconds + 10}s`,
    },
  }
}
