import { ms, number, percent } from '../../judge/format.ts'
import type { FindingRule } from '../finding.ts'
import { sampleCount, WAITED_FOR, type WaitGroup, waitShares } from '../waits.ts'

/** Fewer looks at sessions than this are no distribution. */
const LEAST_SAMPLES = 30

/** What a latency consists of: commit, publishing, ticks, and the generator's own part. */
export const latencyParts: FindingRule = {
  name: 'latency-parts',
  say({ facts: { load, api, postgres } }) {
    const texts: string[] = []
    const d = load.delivery
    if (d?.publish !== undefined && load.latency !== undefined) {
      const inside = d.receiveLag === undefined ? '' : `; frames then waited ${ms(d.receiveLag.p95)} inside k6`
      texts.push(
        `Of a delivery's p95 of ${ms(load.latency.p95)}, a publisher has its answer, hence the commit, ` +
          `after ${ms(d.publish.p95)}${inside} (each p95).`,
      )
    }
    if (api?.ingest !== undefined) {
      const shares = postgres === undefined ? [] : waitShares(postgres, 'ingest')
      const [first] = shares
      const waits =
        first === undefined || sampleCount(shares) < LEAST_SAMPLES
          ? ''
          : `; in ${percent(first.share)} of ${number(sampleCount(shares))} looks at a session that did, ${atWhat(first.group)}`
      const below = api.ingest.p99CommitBelowMs
      const rest = below === undefined ? '' : `, 99 % below ${ms(below)}`
      texts.push(`Committing a batch took ${ms(api.ingest.meanCommitMs)} on average${rest}${waits}.`)
    }
    return texts
  },
}

const atWhat = (group: WaitGroup): string =>
  group === 'CPU' ? 'it was computing, not waiting' : `it waited for ${WAITED_FOR[group]}`
