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
    // Not as many as there are ticks: all messages of a window would wait equally long for theirs, by chance.
    messagesPerSecond: rate(97),
    subscribers: 50,
    ...(quick
      ? { windowSeconds: 1, warmUpSeconds: 1, warmUpRate: 1, windowsPerRound: 1, calls: 500 }
      : // V8 compiles what has run often: after 200 reports, the next ones took a quarter more CPU than later ones.
        { windowSeconds: 3, warmUpSeconds: 2, warmUpRate: 3, windowsPerRound: 2, calls: 10_000 }),
  }
}
