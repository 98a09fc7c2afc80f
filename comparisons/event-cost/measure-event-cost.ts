/** The CPU for an event at the planned rate, compared with the base and with a transaction for each request. */

import type { Load } from '../generator/load.ts'
import { withIngestContenders } from '../ingest/contenders.ts'
import { measureWarm } from '../measure/loaded.ts'
import { runRounds } from '../measure/run-rounds.ts'
import type { MeasurePart } from '../parts.ts'
import { eventCostFigures } from './event-cost-figures.ts'
import { AT_RATE, type EventCostMeasured } from './event-cost-measured.ts'
import { startPostgresCounters } from './postgres-work.ts'

/**
 * Long enough to include occasional work in the background. At 500 a second, four times a thousand calls go from their
 * first state to their last, so all turns have the same number of events of each state.
 */
const MEASURED_SECONDS = 32
/** In the first turn, V8 also compiles hot code. */
const WARM_UP_SECONDS = { first: 12, later: 5 }
/** By default autovacuum runs every minute: then only some turns would include it. */
const POSTGRES = { autovacuum_naptime: '15s' }

export const measureEventCost: MeasurePart = async (options) => {
  const { quick } = options
  const load: Load = { mode: 'open', seconds: quick ? 1 : MEASURED_SECONDS, ratePerSecond: AT_RATE.ratePerSecond }
  const size = quick ? { ...AT_RATE, instances: 1 } : AT_RATE
  const isWarm = new Set<string>()
  return withIngestContenders(
    { ...options, postgresSettings: POSTGRES },
    ['ours', 'base', 'rowAtATime'],
    size,
    async (contenders, base) => {
      const turns = contenders.map(({ name, groups, database, turn }) => ({
        name,
        measure: () =>
          turn(async (generator) => {
            const warmUpSeconds = quick ? 0.5 : WARM_UP_SECONDS[isWarm.has(name) ? 'later' : 'first']
            isWarm.add(name)
            await generator.run({ ...load, seconds: warmUpSeconds })
            const stopCounters = await startPostgresCounters(database!.owner)
            const loaded = await measureWarm(generator, groups, load)
            return { ...loaded, work: await stopCounters() }
          }),
      }))
      const measured = (await runRounds('event-cost', options, turns)) as EventCostMeasured
      return { ...eventCostFigures(measured), base: base.commit, raw: measured }
    },
  )
}
