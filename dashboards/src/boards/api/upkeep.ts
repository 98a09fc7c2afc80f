import { OUTBOX_STALE_SECONDS, ROLLUPS_PENDING_ROWS } from '../../alerts/upkeep-alerts.ts'
import { figure, lines } from '../../panels/panel.ts'
import { below, courseOnly, none } from '../../panels/thresholds.ts'
import * as upkeep from '../../queries/upkeep.ts'
import type { BoardRow } from '../board.ts'

export const upkeepRow: BoardRow = {
  title: 'Upkeep',
  panels: [
    lines({
      title: 'Rows not yet folded into the rollups',
      unit: 'none',
      description: 'Good is a few thousand under load. Every report of a tenant adds up what is pending of it.',
      thresholds: below(ROLLUPS_PENDING_ROWS),
      queries: [upkeep.pendingRows],
      runbook: 'upkeep-behind',
    }),
    lines({
      title: 'Rows folded',
      unit: 'ops',
      description: 'Good is as many as are written: at most one for each event. A backlog is folded at half a core.',
      thresholds: courseOnly,
      queries: [upkeep.foldedRows],
    }),
    figure({
      title: 'Everything folded until',
      unit: 'dateTimeFromNow',
      description: 'Good is within seconds; 1970 is not yet known.',
      thresholds: courseOnly,
      queries: [upkeep.foldedUntil],
      width: 8,
      runbook: 'upkeep-behind',
    }),
    lines({
      title: 'Oldest batch in the outbox',
      unit: 's',
      description:
        'That is old enough for a sweep to publish it. Good is 0: instances publish what they commit themselves.',
      thresholds: below(OUTBOX_STALE_SECONDS),
      queries: [upkeep.outboxStale],
      width: 12,
      runbook: 'upkeep-behind',
    }),
    lines({
      title: 'Attempts that failed',
      unit: 'ops',
      description: 'Folding, sweeping the outbox, deleting what is too old. Good is none; each is tried again.',
      thresholds: none,
      queries: [upkeep.failures],
      width: 12,
      runbook: 'upkeep-behind',
    }),
    lines({
      title: 'Deleted for their age',
      unit: 'ops',
      description: 'Calls and their events. Good is about as many as arrived when the retention period began.',
      thresholds: courseOnly,
      queries: [upkeep.deletedCalls, upkeep.deletedEvents],
      width: 16,
    }),
    figure({
      title: 'All old calls gone',
      unit: 'dateTimeFromNow',
      description: 'The last time at which nothing too old was left. Good is within two hours; 1970 means never.',
      thresholds: courseOnly,
      queries: [upkeep.lastPass],
      width: 8,
      runbook: 'upkeep-behind',
    }),
  ],
}
