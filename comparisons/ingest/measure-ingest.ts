/** The highest rate of events, compared with the base, a route that stores nothing, and a transaction for each request. */
import { measureLoad } from '../measure/loaded.ts'
import { runRounds } from '../measure/run-rounds.ts'
import type { MeasurePart } from '../parts.ts'
import { withIngestContenders } from './contenders.ts'
import { ingestFigures } from './ingest-figures.ts'
import { type IngestMeasured, MOST } from './ingest-measured.ts'

export const measureIngest: MeasurePart = async (options) => {
  const load = { mode: 'closed', seconds: options.quick ? 1 : 6 } as const
  const warmUpSeconds = options.quick ? 0.5 : 2
  return withIngestContenders(
    options,
    ['ours', 'base', 'storesNothing', 'rowAtATime'],
    MOST,
    async (contenders, base) => {
      const turns = contenders.map(({ name, groups, turn }) => ({
        name,
        measure: () => turn((generator) => measureLoad(generator, groups, load, warmUpSeconds)),
      }))
      const measured = (await runRounds('ingest', options, turns)) as IngestMeasured
      return { ...ingestFigures(measured), base: base.commit, raw: measured }
    },
  )
}
