import { number } from '@hopwhistle/platform/document/figures.ts'
import { broken, invalid, type Rule } from '../../evidence/evidence.ts'
import { countOf, trafficOf } from '../../evidence/totals.ts'

/** Every event that was acknowledged is in Postgres: a 2xx means committed. */
export const databaseRows: Rule = {
  name: 'database-rows',
  check({ server, scenario, totals }) {
    const rows = server?.postgres?.rowsOfRun
    if (rows === undefined || scenario === 'reporting-endpoints') return []
    const phases = ['ramp', 'peak', 'cool'] as const
    const acknowledged = phases.reduce((sum, phase) => sum + trafficOf(scenario, totals, phase).ok, 0)
    // What was not answered in time may have been stored all the same.
    const unsure = phases.reduce((sum, phase) => {
      const { sent, ok } = trafficOf(scenario, totals, phase)
      return sum + Math.max(0, sent - ok) + countOf(totals, `publish_retried_${phase}`)
    }, 0)
    if (rows.events >= acknowledged && rows.events <= acknowledged + unsure) return []
    const claim = `the API acknowledged ${number(acknowledged)} events, and Postgres holds ${number(rows.events)} of this run`
    // More are those that were stored and whose answer k6 did not live to see.
    return [rows.events < acknowledged ? broken(claim) : invalid(claim)]
  },
}
