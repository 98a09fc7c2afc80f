import { rateOf } from '@hopwhistle/contract/scenarios.ts'
import type { LoadShape } from './measured.ts'

/**
 * What each version gets: the events a second of the targets, and as much of the other two as two versions can carry at
 * once on two cores.
 *
 * @param share of all rates; 1 is all of it
 */
export function loadShape(share: number, quick: boolean): LoadShape {
  const rate = (perSecond: number) => Math.max(1, Math.round(share * perSecond))
  return {
    eventsPerSecond: rate(rateOf('call-state-updates')),
    reportsPerSecond: rate(rateOf('reporting-endpoints')),
    messagesPerSecond: rate(100),
    subscribers: 50,
    ...(quick
      ? { windowSeconds: 1, warmUpSeconds: 1, windowsPerRound: 1, calls: 500 }
      : { windowSeconds: 3, warmUpSeconds: 2, windowsPerRound: 2, calls: 10_000 }),
  }
}
