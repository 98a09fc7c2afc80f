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
      description: 'Calls and their events. Good is about what came in as many days ago as they are kept.',
      thresholds: courseOnly,
      queries: [retention.deletedCalls, retention.deletedEvents],
      width: 16,
    }),
    figure({
      title: 'All old calls gone',
      unit: 'dateTimeFromNow',
      description: 'When everything too old was last found deleted. Good is within two hours; 1970 is not yet.',
      thresholds: courseOnly,
      queries: [retention.lastPass],
      width: 8,
    }),
  ],
}
