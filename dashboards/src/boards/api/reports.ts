import { lines } from '../../panels/panel.ts'
import { courseOnly } from '../../panels/thresholds.ts'
import * as reports from '../../queries/reports.ts'
import type { BoardRow } from '../board.ts'

export const reportRow: BoardRow = {
  title: 'Reports',
  panels: [
    lines({
      title: 'Where reports were read',
      unit: 'reqps',
      description: 'Good is cache and replica. Primary means that the replica is away, or too far behind.',
      thresholds: courseOnly,
      queries: [reports.sources],
      runbook: 'replica-gone',
      width: 12,
      stacked: true,
    }),
    lines({
      title: 'Report cache',
      unit: 'ops',
      description: 'Good is hits and joined. Skipped means that Redis does not answer.',
      thresholds: courseOnly,
      queries: [reports.cache],
      runbook: 'redis-down',
      width: 12,
      stacked: true,
    }),
  ],
}
