import { number } from '@hopwhistle/platform/document/figures.ts'
import type { FindingRule } from '../finding.ts'

/** How far group commit reduced the commits. */
export const batches: FindingRule = {
  name: 'batches',
  say({ facts: { api, postgres } }) {
    const ingest = api?.ingest
    if (ingest === undefined) return []
    const retries = ingest.retries === 0 ? 'no batch was retried' : `${number(ingest.retries)} were retried`
    const commits =
      postgres?.commitsPerSecond === undefined
        ? ''
        : ` In total, the primary committed ${number(postgres.commitsPerSecond.mean)} transactions a second.`
    return [
      `Group commit wrote ${number(ingest.events)} events in ${number(ingest.batches)} batches, ` +
        `${number(ingest.meanBatch, 1)} events each on average; ${retries}.${commits}`,
    ]
  },
}
