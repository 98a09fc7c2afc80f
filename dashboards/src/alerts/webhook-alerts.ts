/** Webhooks: what their tenants may not have noticed, and what is the platform's own fault. */
import { METRICS } from '@hopwhistle/contract/metrics.ts'
import { remembering, type Scale, scaled } from '../scale.ts'
import { type Alert, RELEASE } from './alert.ts'

const release = '{{ $labels.namespace }}/{{ $labels.release }}'
const byRelease = `by (${RELEASE.join(', ')})`

export const WEBHOOK_LAG_SECONDS = 300

export const webhookAlerts = (scale: Scale): readonly Alert[] => [
  {
    name: 'WebhookDisabled',
    severity: 'ticket',
    by: [...RELEASE, 'reason'],
    when: [
      [
        {
          query: `sum by (namespace, release, reason) (increase(${METRICS.webhooksDisabled}[${remembering('1h', '1m', scale)}]))`,
          is: '>',
          value: 0,
        },
      ],
    ],
    lasting: scaled('1m', scale),
    needs: 'stack',
    summary: `A webhook of ${release} was disabled: {{ $labels.reason }}`,
    meaning:
      'Its tenant gets no more events there until it enables it, and loses those that are older than three days then.',
    runbook: 'webhooks',
    section: 'disabled',
    board: 'api',
  },
  {
    name: 'WebhooksLate',
    severity: 'ticket',
    by: RELEASE,
    when: [[{ query: `max ${byRelease} (${METRICS.webhookLag})`, is: '>', value: WEBHOOK_LAG_SECONDS }]],
    lasting: scaled('10m', scale),
    needs: 'stack',
    summary: `An event of ${release} waits {{ $value | humanizeDuration }} for a webhook that works`,
    meaning: 'Tenants get their events late. None is lost.',
    runbook: 'webhooks',
    section: 'late',
    board: 'api',
  },
]
