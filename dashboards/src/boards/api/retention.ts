import { figure, lines } from '../../panels/panel.ts'
import { courseOnly } from '../../panels/thresholds.ts'
import * as retention from '../../queries/retention.ts'
import type { BoardRow } from '../board.ts'

export const retentionRow: BoardRow = {
  title: 'Retention',
  panels: [
    lines({
      title: 'Deleted for their age',
      unit: 'ops',
      description: 'Calls and their events. Good is about as many as arrived when the retention period began.',
      thresholds: courseOnly,
      queries: [retention.deletedCalls, retention.deletedEvents],
      width: 16,
    }),
    figure({
      title: 'All old calls gone',
      unit: 'dateTimeFromNow',
      description: 'The last time at which nothing too old was left. Good is within two hours; 1970 means never.',
      thresholds: courseOnly,
      queries: [retention.lastPass],
      width: 8,
    }),
  ],
}
