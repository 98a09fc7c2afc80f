/** The CPU of an event at the rate of the brief: compared with the base, and with a transaction for each request. */

import type { Load } from '../generator/load.ts'
import { withIngestContenders } from '../ingest/contenders.ts'
import { measureWarm } from '../measure/loaded.ts'
import { runRounds } from '../measure/run-rounds.ts'
import type { MeasurePart } from '../parts.ts'
import { eventCostFigures } from './event-cost-figures.ts'
import { AT_RATE, type EventCostMeasured } from './event-cost-measured.ts'
import { startPostgresCounters } from './postgres-work.ts'

/**
 * Long enough that what is done in the background, now and then, has its share in it; at 500 a second four times a
 * thousand calls from their first state to their last, so that a turn has as many events of each state as another.
 */
const MEASURED_SECONDS = 32
/** The first turn also compiles what is hot. */
const WARM_UP_SECONDS = { first: 12, later: 5 }
/** Autovacuum looks every minute by default: then only some of the turns would have its work. */
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
