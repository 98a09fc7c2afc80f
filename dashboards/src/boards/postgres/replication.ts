import { figure, lines } from '../../panels/panel.ts'
import { below, isUp, ofLimitAt } from '../../panels/thresholds.ts'
import * as pg from '../../queries/postgres.ts'
import type { BoardRow } from '../board.ts'

const GIB = 1024 ** 3
/** Of the charts and of the local stack: max_slot_wal_keep_size. */
const SLOT_LIMIT_BYTES = 8 * GIB

export const replication: BoardRow = {
  title: 'Replication',
  panels: [
    figure({
      title: 'Servers up',
      unit: 'none',
      description: 'Whether each server answers its exporter. Good is 1.',
      thresholds: isUp,
      queries: [pg.serversUp],
      runbook: 'postgres-down',
    }),
    figure({
      title: 'Replicas streaming',
      unit: 'none',
      description: 'As the primary sees them. Good is 1 or more. Without one, a lag of 0 means nothing.',
      thresholds: isUp,
      queries: [pg.replicasStreaming],
      runbook: 'replica-gone',
    }),
    figure({
      title: 'Instances that use the replica',
      unit: 'none',
      description: 'By API instance: 1 when its reports read the replica. Good is 1.',
      thresholds: isUp,
      queries: [pg.replicaUsed],
      runbook: 'replica-gone',
      width: 8,
    }),
    figure({
      title: 'Slots in use',
      unit: 'none',
      description: 'Good is 1: a replica uses the slot. At 0 the primary keeps all WAL for a replica that is away.',
      thresholds: isUp,
      queries: [pg.slotActive],
      runbook: 'slot-inactive',
      width: 8,
    }),
    lines({
      title: 'Replica lag',
      unit: 's',
      description: 'Age of the replica’s data. Good is below 1 s; from 10 s on, reports do not use it.',
      thresholds: below(10),
      queries: [pg.lagSeconds],
      runbook: 'replica-lagging',
    }),
    lines({
      title: 'WAL yet to replay',
      unit: 'bytes',
      description:
        'As each API instance measures it. Good is some MB at most; from 64 MiB on, reports do not use the replica.',
      thresholds: below(64 * 1024 ** 2),
      queries: [pg.lagBytes],
      runbook: 'replica-lagging',
    }),
    lines({
      title: 'WAL kept for slots',
      unit: 'bytes',
      description:
        'WAL on the disk of the primary for its replicas. Good is below 1 GiB; at 8 GiB the slot is invalidated.',
      thresholds: ofLimitAt(SLOT_LIMIT_BYTES),
      queries: [pg.slotRetained],
      runbook: 'slot-retains-wal',
    }),
  ],
}
