import { number } from '@hopwhistle/platform/document/figures.ts'
import type { FindingRule } from '../finding.ts'

/** Three counts of the same thing, by three programs. */
export const crossCheck: FindingRule = {
  name: 'cross-check',
  say({ facts: { load, api, postgres } }) {
    const rows = postgres?.rowsOfRun
    const byApi = api?.ingest?.events
    if (rows === undefined || byApi === undefined) return []
    return [
      `k6 counted ${number(load.okInAll)} accepted events, the API committed ${number(byApi)}, and Postgres holds ` +
        `${number(rows.events)} of this run, of ${number(rows.calls)} calls.`,
    ]
  },
}
