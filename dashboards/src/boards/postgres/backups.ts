import { figure, lines } from '../../panels/panel.ts'
import { below, none, ofLimitAt } from '../../panels/thresholds.ts'
import * as pg from '../../queries/postgres.ts'
import type { BoardRow } from '../board.ts'

const GIB = 1024 ** 3
/** Of the chart: archive-push-queue-max. */
const QUEUE_LIMIT_BYTES = 8 * GIB

export const backups: BoardRow = {
  title: 'Backups',
  panels: [
    figure({
      title: 'Last base backup',
      unit: 's',
      description: 'Time since it ended. Good is about a day at most. Empty if the chart makes no backups.',
      thresholds: below(36 * 3_600),
      queries: [pg.backupAge],
      runbook: 'backup-too-old',
    }),
    figure({
      title: 'WAL archive fails',
      unit: 'none',
      description: 'Whether the last attempt to archive WAL failed. Good is 0. It is 0 without backups, too.',
      thresholds: none,
      queries: [pg.archiveFailing],
      runbook: 'wal-archive-failing',
    }),
    lines({
      title: 'WAL yet to be archived',
      unit: 'bytes',
      description:
        'WAL on the disk of the primary that is not archived yet. Good is some 16 MiB; at 8 GiB it is dropped.',
      thresholds: ofLimitAt(QUEUE_LIMIT_BYTES),
      queries: [pg.archiveWaiting],
      runbook: 'wal-archive-failing',
    }),
  ],
}
