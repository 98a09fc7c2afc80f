import { type AlertCase, AT_LABELS, counts, stays } from './alert-case.ts'

const waited = (le: string, aMinute: number, pool = 'ingest') =>
  counts('hopwhistle_postgres_pool_wait_seconds_bucket', `pool="${pool}", instance="api-1", le="${le}"`, aMinute)
const waitedForReplica = [
  waited('0.05', 90, 'reports-replica'),
  waited('0.2', 100, 'reports-replica'),
  waited('+Inf', 100, 'reports-replica'),
]
const configured = stays('hopwhistle_replica_up', 'instance="api-1"', 1)

export const postgresCases: readonly AlertCase[] = [
  {
    alert: 'PostgresDown',
    fires: [stays('pg_up', 'server="primary"', 0), stays('pg_up', 'server="replica"', 1)],
    isQuiet: [stays('pg_up', 'server="primary"', 1), stays('pg_up', 'server="replica"', 0)],
    afterMinutes: 3,
    labels: { ...AT_LABELS, server: 'primary', severity: 'page' },
    says: 'The primary of prod/hw does not answer',
  },
  {
    alert: 'ReplicaLagging',
    fires: [stays('hopwhistle_replica_lag_seconds', 'instance="api-1"', 8)],
    isQuiet: [stays('hopwhistle_replica_lag_seconds', 'instance="api-1"', 4.9)],
    afterMinutes: 5,
    labels: { ...AT_LABELS, severity: 'ticket' },
    says: 'The replica of prod/hw is 8s behind',
  },
  {
    alert: 'ReplicaGone',
    // Primary and API both report a lag of 0.
    fires: [
      stays('pg_hopwhistle_replication_streaming', 'server="primary"', 0),
      stays('pg_hopwhistle_replication_lag_seconds', 'server="primary"', 0),
      stays('hopwhistle_replica_lag_seconds', 'instance="api-1"', 0),
      configured,
    ],
    // An installation without a replica.
    isQuiet: [stays('pg_hopwhistle_replication_streaming', 'server="primary"', 0)],
    afterMinutes: 5,
    labels: { ...AT_LABELS, severity: 'page' },
    says: 'No replica streams from the primary of prod/hw, even if its lag reads 0',
  },
  {
    alert: 'ReplicaUnused',
    fires: [configured, stays('hopwhistle_replica_up', 'instance="api-2"', 0)],
    isQuiet: [configured, stays('hopwhistle_replica_up', 'instance="api-2"', 1)],
    afterMinutes: 10,
    labels: { ...AT_LABELS, severity: 'ticket' },
    says: 'An API instance of prod/hw does not use the replica',
  },
  {
    alert: 'SlotInactive',
    fires: [stays('pg_hopwhistle_slots_active', 'slot="hopwhistle_replica"', 0)],
    isQuiet: [stays('pg_hopwhistle_slots_active', 'slot="hopwhistle_replica"', 1)],
    afterMinutes: 10,
    labels: { ...AT_LABELS, slot: 'hopwhistle_replica', severity: 'ticket' },
    says: 'No replica uses the replication slot hopwhistle_replica of prod/hw',
  },
  {
    alert: 'SlotRetainsWal',
    fires: [stays('pg_hopwhistle_slots_retained_bytes', 'slot="hopwhistle_replica"', 5 * 1024 ** 3)],
    isQuiet: [stays('pg_hopwhistle_slots_retained_bytes', 'slot="hopwhistle_replica"', 4 * 1024 ** 3)],
    afterMinutes: 5,
    labels: { ...AT_LABELS, slot: 'hopwhistle_replica', severity: 'page' },
    says: 'The primary of prod/hw keeps 5GiB of WAL for the slot hopwhistle_replica',
  },
  {
    alert: 'WalArchiveFailing',
    fires: [stays('pg_hopwhistle_archive_failing', 'server="primary"', 1)],
    // WAL waits, and is then archived.
    isQuiet: [
      stays('pg_hopwhistle_archive_failing', 'server="primary"', 0),
      stays('pg_hopwhistle_archive_waiting_bytes', 'server="primary"', 2 * 1024 ** 3),
    ],
    afterMinutes: 12,
    labels: { ...AT_LABELS, severity: 'page' },
    says: 'WAL of the primary of prod/hw is not archived',
  },
  {
    alert: 'BackupTooOld',
    fires: [stays('pg_hopwhistle_backup_age_seconds', 'server="primary"', 40 * 3_600)],
    isQuiet: [stays('pg_hopwhistle_backup_age_seconds', 'server="primary"', 36 * 3_600)],
    afterMinutes: 70,
    labels: { ...AT_LABELS, severity: 'ticket' },
    says: 'The last base backup of prod/hw ended 1d 16h 0m 0s ago',
  },
  {
    alert: 'PoolWaits',
    // Nine of ten waited less than 50 ms, one up to 200 ms.
    fires: [waited('0.05', 90), waited('0.2', 100), waited('+Inf', 100)],
    isQuiet: [waited('0.05', 99), waited('0.2', 100), waited('+Inf', 100)],
    afterMinutes: 15,
    labels: { ...AT_LABELS, pool: 'ingest', severity: 'ticket' },
    says: 'One query in twenty of the pool ingest of prod/hw waits 125ms for a connection',
  },
  {
    alert: 'PoolWaits',
    fires: [...waitedForReplica, stays('hopwhistle_replica_up', 'instance="api-1"', 1)],
    // Queries wait for a replica that is gone; another alert reports that.
    isQuiet: [...waitedForReplica, stays('hopwhistle_replica_up', 'instance="api-1"', 0)],
    afterMinutes: 15,
    labels: { ...AT_LABELS, pool: 'reports-replica', severity: 'ticket' },
    says: 'One query in twenty of the pool reports-replica of prod/hw waits 125ms for a connection',
  },
]
