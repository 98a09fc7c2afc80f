/** The k6 scenario of requests at a rate: an open model, ramping up and then held. */
import type { RequestShape } from '../../../contract/scenarios.ts'

/** @param offeredPerSecond the rate of the peak */
export function requestScenario(shape: RequestShape, offeredPerSecond: number) {
  return {
    executor: 'ramping-arrival-rate' as const,
    startRate: 0,
    timeUnit: '1s',
    preAllocatedVUs: shape.vus,
    maxVUs: shape.maxVUs,
    stages: [
      { target: offeredPerSecond, duration: `${shape.rampSeconds}s` },
      { target: offeredPerSecond, duration: `${shape.peakSeconds}s` },
    ],
    // What was sent may still be answered: as long as a request may take, and a little more.
    gracefulStop: '35s',
  }
}
