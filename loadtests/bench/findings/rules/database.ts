import { TRAFFIC, trafficIn } from '@hopwhistle/contract/scenarios.ts'
import { bytes, list, ms, number } from '@hopwhistle/platform/document/figures.ts'
import { type FindingRule, ratePerSecond } from '../finding.ts'

/** How Postgres worked: memory, updates in place, WAL, checkpoints. */
export const database: FindingRule = {
  name: 'database',
  say(context) {
    const { postgres: p, scenario } = context.facts
    if (p === undefined) return []
    const parts: string[] = []
    if (p.cacheHitRatio !== undefined) parts.push(`found ${share(p.cacheHitRatio)} of its blocks in memory`)
    if (p.hotRatio !== undefined) parts.push(`made ${share(p.hotRatio)} of its updates without touching an index (HOT)`)
    const rate = ratePerSecond(context)
    const { stores } = TRAFFIC[trafficIn(scenario)[0]]
    if (stores && p.walBytesPerSecond !== undefined && rate > 0) {
      parts.push(
        `wrote ${bytes(p.walBytesPerSecond.mean)} of WAL a second, ${bytes(p.walBytesPerSecond.mean / rate)} for each ` +
          context.words.one,
      )
    }
    if (stores && p.walMeanSyncMs !== undefined && p.walSyncs !== undefined) {
      parts.push(`flushed it ${number(p.walSyncs)} times, ${ms(p.walMeanSyncMs)} each`)
    }
    if (parts.length === 0) return []
    const checkpoints = p.checkpoints === undefined ? '' : checkpointText(p.checkpoints)
    return [`The primary ${list(parts)}.${checkpoints}`]
  },
}

/** `99.98 %`: rounded down, so that 100 % means all. */
const share = (ratio: number): string =>
  ratio === 1 ? '100 %' : `${number(Math.floor(10_000 * ratio + 1e-9) / 100, 2)} %`

const checkpointText = (count: number): string =>
  count === 0
    ? ' No checkpoint ran during the test.'
    : ` ${number(count)} checkpoint${count === 1 ? '' : 's'} ran during the test.`
