import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { percentile, select } from '../promql.ts'
import { type Duration, type Scale, scaled } from '../scale.ts'
import { type Alert, RELEASE } from './alert.ts'

const release = '{{ $labels.namespace }}/{{ $labels.release }}'
/** The pool of the API whose connections lead to the replica. */
const OF_REPLICA = 'reports-replica'
/** One a day, and half a day to mend a failure. */
const BACKUP_AGE_SECONDS = 36 * 3_600
const byRelease = `by (${RELEASE.join(', ')})`

/** What waits for a replica that is gone is told by ReplicaGone. */
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
    // A replica that is down is told by ReplicaGone: one cause wakes nobody twice.
    when: [[{ query: `min by (namespace, release, server) (pg_up{server!="replica"})`, is: '<', value: 1 }]],
    lasting: scaled('1m', scale),
    needs: 'stack',
    summary: `The {{ $labels.server }} of ${release} does not answer`,
    meaning: 'Without the primary no event is taken: clients are answered 503, and have to send again.',
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
    meaning: 'Reports are old, and from 10 s on read the primary instead, which then has their load as well.',
    runbook: 'replica-lagging',
    board: 'postgres',
  },
  {
    name: 'ReplicaGone',
    severity: 'page',
    by: RELEASE,
    // Not by its lag: one that has replayed all it received reads 0, though it is cut off.
    when: [
      [
        { query: `max ${byRelease} (pg_hopwhistle_replication_streaming)`, is: '<', value: 1 },
        // Who never had a replica misses none.
        { query: `count ${byRelease} (${METRICS.replicaUp})`, is: '>', value: 0 },
      ],
    ],
    lasting: scaled('2m', scale),
    needs: 'stack',
    summary: `No replica streams from the primary of ${release}, whatever its lag reads`,
    meaning: 'Nothing can take over from the primary, reports load it, and it keeps all WAL for the one that is gone.',
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
    summary: `An API instance of ${release} leaves the replica alone`,
    meaning: 'Its reports read the primary: the replica does not answer it, or is too far behind.',
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
    summary: `Nobody uses the replication slot {{ $labels.slot }} of ${release}`,
    meaning: 'The primary keeps all WAL from here on, until its disk is full or the slot is given up.',
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
    meaning: 'At 8 GiB the slot is given up, and its replica has to be made anew.',
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
    meaning: 'What is written now could not be restored, and WAL fills the disk of the primary until it is given up.',
    runbook: 'wal-archive-failing',
    board: 'postgres',
  },
  {
    name: 'BackupTooOld',
    severity: 'ticket',
    by: RELEASE,
    when: [[{ query: `max ${byRelease} (pg_hopwhistle_backup_age_seconds)`, is: '>', value: BACKUP_AGE_SECONDS }]],
    // A database that has just got backups takes its first one.
    lasting: scaled('1h', scale),
    needs: 'kubernetes',
    summary: `The last base backup of ${release} ended {{ $value | humanizeDuration }} ago`,
    meaning: 'A restore takes longer by all WAL since then; once retention has removed the last backup, there is none.',
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
    meaning: 'Queries are late before Postgres has heard of them.',
    runbook: 'pool-waits',
    board: 'postgres',
  },
]
