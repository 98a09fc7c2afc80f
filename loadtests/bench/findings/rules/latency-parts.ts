import { ms, number, percent } from '@hopwhistle/platform/document/figures.ts'
import type { FindingRule } from '../finding.ts'
import { sampleCount, WAITED_FOR, type WaitGroup, waitShares } from '../waits.ts'

/** Fewer samples than this are no distribution. */
const LEAST_SAMPLES = 30

/** What a latency consists of: commit, publishing, ticks, and the generator's own part. */
export const latencyParts: FindingRule = {
  name: 'latency-parts',
  say({ facts: { load, api, postgres } }) {
    const texts: string[] = []
    const d = load.delivery
    const inside = api?.requests
    if (d !== undefined && load.latency !== undefined) {
      const socketsMs = api?.live?.p95DelayBelowMs
      const answered = d.publish === undefined ? [] : [`a publisher got its response after ${ms(d.publish.p95)}`]
      const answering =
        inside?.p95BelowMs === undefined ? [] : [`for which the API took less than ${ms(inside.p95BelowMs)}`]
      const parts = [
        `A delivery took ${ms(load.latency.p95)}`,
        ...(socketsMs === undefined
          ? []
          : [`the API took less than ${ms(socketsMs)} from receiving an event to writing it to its sockets`]),
        ...(answered.length === 0 ? [] : [[...answered, ...answering].join(', ')]),
        ...(d.receiveLag === undefined ? [] : [`a frame waited ${ms(d.receiveLag.p95)} inside k6 for its handler`]),
      ]
      texts.push(`${parts.join('; ')} (each figure is a p95).`)
    } else if (inside?.p95BelowMs !== undefined && load.latency !== undefined) {
      texts.push(
        `Inside the API, 95 % of the requests took less than ${ms(inside.p95BelowMs)}, and ${ms(inside.meanMs)} on average; ` +
          `k6 saw a p95 of ${ms(load.latency.p95)}.`,
      )
    }
    if (api?.ingest !== undefined) {
      const shares = postgres === undefined ? [] : waitShares(postgres, 'ingest')
      const [first] = shares
      const waits =
        first === undefined || sampleCount(shares) < LEAST_SAMPLES
          ? ''
          : `. Sampled ${number(sampleCount(shares))} times while committing, sessions ${atWhat(first.group)} ${percent(first.share)} of the time`
      const edge = api.ingest.p99CommitBelowMs
      const rest = edge === undefined ? '' : `, 99 % below ${ms(edge)}`
      texts.push(`Committing a batch took ${ms(api.ingest.meanCommitMs)} on average${rest}${waits}.`)
    }
    return texts
  },
}

const atWhat = (group: WaitGroup): string =>
  group === 'CPU' ? 'were computing, not waiting,' : `waited for ${WAITED_FOR[group]}`
