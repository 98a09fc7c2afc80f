import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { percentile, select } from '../promql.ts'
import { type Duration, type Scale, scaled } from '../scale.ts'
import { type Alert, RELEASE } from './alert.ts'

const release = '{{ $labels.namespace }}/{{ $labels.release }}'
/** The pool of the API whose connections lead to the replica. */
const OF_REPLICA = 'reports-replica'
/** One a day, and half a day to repair a failure. */
const BACKUP_AGE_SECONDS = 36 * 3_600
const byRelease = `by (${RELEASE.join(', ')})`

/** Leaves out the replica's pool while the replica is gone: ReplicaGone reports that. */
function poolWait(window: Duration): string {
  const of = (pool: string) => percentile(0.95, METRICS.poolWait, { pool }, [...RELEASE, 'pool'], window)
  const gone = `min ${byRelease} (min_over_time(${select(METRICS.replicaUp)}[${window}])) < 1`
  return `${of(`!=${OF_REPLICA}`)}\nor (${of(OF_REPLICA)} unless on (${RELEASE.join(', ')}) (${gone}))`
}

export const postgresAlerts = (scale: Scale): readonly Alert[] => [
  {
    name: 'PostgresDown',
    severity: 'page',
    by: [...RELEASE, 'server'],
    // ReplicaGone reports a replica that is down: one cause pages only once.
    when: [[{ query: `min by (namespace, release, server) (pg_up{server!="replica"})`, is: '<', value: 1 }]],
    lasting: scaled('1m', scale),
    needs: 'stack',
    summary: `The {{ $labels.server }} of ${release} does not answer`,
    meaning: 'Without the primary no event is accepted: clients are answered 503, and have to send again.',
    runbook: 'postgres-down',
    board: 'postgres',
  },
  {
    name: 'ReplicaLagging',
    severity: 'ticket',
    by: RELEASE,
    when: [[{ query: `max ${byRelease} (${METRICS.replicaLagSeconds})`, is: '>', value: 5 }]],
    lasting: scaled('2m', scale),
    needs: 'stack',
    summary: `The replica of ${release} is {{ $value | humanizeDuration }} behind`,
    meaning: 'Reports show old data. From 10 s on they read the primary instead, which then has their load as well.',
    runbook: 'replica-lagging',
    board: 'postgres',
  },
  {
    name: 'ReplicaGone',
    severity: 'page',
    by: RELEASE,
    // Not by its lag: a replica that replayed all that it received reports 0, even when it is cut off.
    when: [
      [
        { query: `max ${byRelease} (pg_hopwhistle_replication_streaming)`, is: '<', value: 1 },
        // Only where there was a replica.
        { query: `count ${byRelease} (${METRICS.replicaUp})`, is: '>', value: 0 },
      ],
    ],
    lasting: scaled('2m', scale),
    needs: 'stack',
    summary: `No replica streams from the primary of ${release}, even if its lag reads 0`,
    meaning:
      'No server can take over from the primary. It answers the reports, and keeps all WAL for the missing replica.',
    runbook: 'replica-gone',
    board: 'postgres',
  },
  {
    name: 'ReplicaUnused',
    severity: 'ticket',
    by: RELEASE,
    when: [[{ query: `min ${byRelease} (${METRICS.replicaUp})`, is: '<', value: 1 }]],
    lasting: scaled('5m', scale),
    needs: 'stack',
    summary: `An API instance of ${release} does not use the replica`,
    meaning: 'Its reports read the primary, because the replica does not answer, or is too far behind.',
    runbook: 'replica-gone',
    board: 'postgres',
  },
  {
    name: 'SlotInactive',
    severity: 'ticket',
    by: [...RELEASE, 'slot'],
    when: [[{ query: 'min by (namespace, release, slot) (pg_hopwhistle_slots_active)', is: '<', value: 1 }]],
    lasting: scaled('5m', scale),
    needs: 'stack',
    summary: `No replica uses the replication slot {{ $labels.slot }} of ${release}`,
    meaning: 'The primary keeps all WAL from now on, until its disk is full or the slot is invalidated.',
    runbook: 'slot-inactive',
    board: 'postgres',
  },
  {
    name: 'SlotRetainsWal',
    severity: 'page',
    by: [...RELEASE, 'slot'],
    when: [
      [
        {
          query: `max by (namespace, release, slot) (pg_hopwhistle_slots_retained_bytes)`,
          is: '>',
          value: 4 * 1024 ** 3,
        },
      ],
    ],
    lasting: scaled('1m', scale),
    needs: 'stack',
    summary: `The primary of ${release} keeps {{ $value | humanize1024 }}B of WAL for the slot {{ $labels.slot }}`,
    meaning: 'At 8 GiB the slot is invalidated, and its replica must copy the primary again.',
    runbook: 'slot-retains-wal',
    board: 'postgres',
  },
  {
    name: 'WalArchiveFailing',
    severity: 'page',
    by: RELEASE,
    when: [[{ query: `max ${byRelease} (pg_hopwhistle_archive_failing)`, is: '>', value: 0 }]],
    lasting: scaled('10m', scale),
    needs: 'stack',
    summary: `WAL of the primary of ${release} is not archived`,
    meaning: 'New writes could not be restored, and WAL fills the disk of the primary until it is dropped.',
    runbook: 'wal-archive-failing',
    board: 'postgres',
  },
  {
    name: 'BackupTooOld',
    severity: 'ticket',
    by: RELEASE,
    when: [[{ query: `max ${byRelease} (pg_hopwhistle_backup_age_seconds)`, is: '>', value: BACKUP_AGE_SECONDS }]],
    // Time for the first backup after backups were turned on.
    lasting: scaled('1h', scale),
    needs: 'kubernetes',
    summary: `The last base backup of ${release} ended {{ $value | humanizeDuration }} ago`,
    meaning:
      'A restore has to replay all WAL since then, which takes longer. Once retention removes the last backup, there is none.',
    runbook: 'backup-too-old',
    board: 'postgres',
  },
  {
    name: 'PoolWaits',
    severity: 'ticket',
    by: [...RELEASE, 'pool'],
    when: [
      [
        {
          query: poolWait(scaled('5m', scale)),
          is: '>',
          value: 0.1,
        },
      ],
    ],
    lasting: scaled('5m', scale),
    needs: 'stack',
    summary: `One query in twenty of the pool {{ $labels.pool }} of ${release} waits {{ $value | humanizeDuration }} for a connection`,
    meaning: 'Queries are late before they reach Postgres.',
    runbook: 'pool-waits',
    board: 'postgres',
  },
]
