import { type AlertCase, AT_LABELS, counts, stays } from './alert-case.ts'

export const upkeepCases: readonly AlertCase[] = [
  {
    alert: 'RollupsBehind',
    // One instance does not know it yet.
    fires: [
      stays('hopwhistle_rollups_folded_until_timestamp_seconds', 'instance="api-1"', 120),
      stays('hopwhistle_rollups_folded_until_timestamp_seconds', 'instance="api-2"', 0),
    ],
    // The instance that folds knows better than those that leave it alone.
    isQuiet: [
      stays('hopwhistle_rollups_folded_until_timestamp_seconds', 'instance="api-1"', 120),
      counts('hopwhistle_rollups_folded_until_timestamp_seconds', 'instance="api-2"', 60),
    ],
    afterMinutes: 14,
    labels: { ...AT_LABELS, severity: 'ticket' },
    says: 'The rollups of prod/hw were last complete 12m 0s ago',
  },
  {
    alert: 'RollupsPending',
    fires: [stays('hopwhistle_rollups_pending_rows', 'instance="api-1"', 600_000)],
    isQuiet: [stays('hopwhistle_rollups_pending_rows', 'instance="api-1"', 500_000)],
    afterMinutes: 12,
    labels: { ...AT_LABELS, severity: 'ticket' },
    says: '600k rows of prod/hw wait to be folded into the rollups',
  },
  {
    alert: 'OutboxStale',
    fires: [
      stays('hopwhistle_outbox_stale_seconds', 'instance="api-1"', 90),
      stays('hopwhistle_redis_up', 'instance="api-1"', 1),
    ],
    // Redis is away, and that is told of.
    isQuiet: [
      stays('hopwhistle_outbox_stale_seconds', 'instance="api-1"', 90),
      stays('hopwhistle_redis_up', 'instance="api-1"', 0),
    ],
    afterMinutes: 7,
    labels: { ...AT_LABELS, severity: 'ticket' },
    says: 'A batch of prod/hw waits 1m 30s to be published',
  },
  {
    alert: 'RetentionBehind',
    fires: [stays('hopwhistle_retention_passed_timestamp_seconds', 'instance="api-1"', 600, 600)],
    // Not known yet.
    isQuiet: [stays('hopwhistle_retention_passed_timestamp_seconds', 'instance="api-1"', 0, 600)],
    afterMinutes: 490,
    labels: { ...AT_LABELS, severity: 'ticket' },
    says: 'The last complete deletion of old calls of prod/hw was 8h 0m 0s ago',
  },
  {
    alert: 'UpkeepFailing',
    fires: [counts('hopwhistle_upkeep_failed_total', 'instance="api-1", task="folding"', 1)],
    // A primary that was away for a moment.
    isQuiet: [
      ['hopwhistle_upkeep_failed_total{namespace="prod", release="hw", instance="api-1", task="folding"}', '0x5 20x30'],
    ],
    afterMinutes: 20,
    labels: { ...AT_LABELS, task: 'folding', severity: 'ticket' },
    says: 'The background task folding of prod/hw fails again and again',
  },
]
