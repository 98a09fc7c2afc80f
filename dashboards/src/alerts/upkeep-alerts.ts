/** Background tasks: nobody waits for them, so a failure shows only when they are far behind. */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { type Scale, scaled } from '../scale.ts'
import { type Alert, RELEASE } from './alert.ts'

const release = '{{ $labels.namespace }}/{{ $labels.release }}'
const byRelease = `by (${RELEASE.join(', ')})`

/** Folding begins once a second, whatever the scale; so do the others at their own times. */
const ROLLUPS_BEHIND_SECONDS = 300
/** What a backlog of two minutes is folded in. */
export const ROLLUPS_PENDING_ROWS = 500_000
/** Twenty times the age from which on an instance publishes what another one has left. */
export const OUTBOX_STALE_SECONDS = 60
/** A pass over all calls is repeated every hour. */
const RETENTION_BEHIND_SECONDS = 6 * 3_600

/** Seconds since a time; the metric is 0 while the time is unknown. */
const since = (metric: string): string => `time() - max ${byRelease} (${metric} > 0)`
const redisIsDown = `min ${byRelease} (${METRICS.redisUp}) < 1`

export const upkeepAlerts = (scale: Scale): readonly Alert[] => [
  {
    name: 'RollupsBehind',
    severity: 'ticket',
    by: RELEASE,
    when: [[{ query: since(METRICS.rollupsFoldedUntil), is: '>', value: ROLLUPS_BEHIND_SECONDS }]],
    lasting: scaled('5m', scale),
    needs: 'stack',
    summary: `The rollups of ${release} were last complete {{ $value | humanizeDuration }} ago`,
    meaning: 'Reports are right, but each one adds up the pending rows: the longer this lasts, the slower they get.',
    runbook: 'upkeep-behind',
    section: 'folding',
    board: 'api',
  },
  {
    name: 'RollupsPending',
    severity: 'ticket',
    by: RELEASE,
    when: [[{ query: `max ${byRelease} (${METRICS.rollupsPending})`, is: '>', value: ROLLUPS_PENDING_ROWS }]],
    lasting: scaled('10m', scale),
    needs: 'stack',
    summary: `{{ $value | humanize }} rows of ${release} wait to be folded into the rollups`,
    meaning: 'Events arrive faster than they are folded. Reports of the tenants concerned get slower.',
    runbook: 'upkeep-behind',
    section: 'folding',
    board: 'api',
  },
  {
    name: 'OutboxStale',
    severity: 'ticket',
    by: RELEASE,
    when: [
      [
        {
          // Without Redis nothing can be published: another alert tells of that.
          query: `max ${byRelease} (${METRICS.outboxStale}) unless on (${RELEASE.join(', ')}) (${redisIsDown})`,
          is: '>',
          value: OUTBOX_STALE_SECONDS,
        },
      ],
    ],
    lasting: scaled('5m', scale),
    needs: 'stack',
    summary: `A batch of ${release} waits {{ $value | humanizeDuration }} to be published`,
    meaning: 'Live subscribers of at least one tenant have not received events that were committed.',
    runbook: 'upkeep-behind',
    section: 'outbox',
    board: 'api',
  },
  {
    name: 'RetentionBehind',
    severity: 'ticket',
    by: RELEASE,
    when: [[{ query: since(METRICS.retentionPassed), is: '>', value: RETENTION_BEHIND_SECONDS }]],
    lasting: scaled('1h', scale),
    needs: 'stack',
    summary: `The last complete deletion of old calls of ${release} was {{ $value | humanizeDuration }} ago`,
    meaning: 'Personal data may be kept for longer than you have promised.',
    runbook: 'upkeep-behind',
    section: 'retention',
    board: 'api',
  },
  {
    name: 'UpkeepFailing',
    severity: 'ticket',
    by: [...RELEASE, 'task'],
    when: [
      [
        {
          // Deleting is tried once a minute, the others more often.
          query: `sum by (namespace, release, task) (rate(${METRICS.upkeepFailed}[${scaled('5m', scale)}]))`,
          is: '>',
          value: 0.005,
        },
      ],
    ],
    lasting: scaled('15m', scale),
    needs: 'stack',
    summary: `The background task {{ $labels.task }} of ${release} fails again and again`,
    meaning: 'Users notice nothing yet, but the backlog grows.',
    runbook: 'upkeep-behind',
    section: '{{ $labels.task }}',
    board: 'api',
  },
]
