import { type AlertCase, AT_LABELS, stays } from './alert-case.ts'

export const webhookCases: readonly AlertCase[] = [
  {
    alert: 'WebhookDisabled',
    fires: [
      [
        'hopwhistle_webhooks_disabled_total{namespace="prod", release="hw", instance="api-1", reason="failing"}',
        '0x5 1x30',
      ],
    ],
    isQuiet: [stays('hopwhistle_webhooks_disabled_total', 'instance="api-1", reason="failing"', 3)],
    afterMinutes: 15,
    labels: { ...AT_LABELS, reason: 'failing', severity: 'ticket' },
    says: 'A webhook of prod/hw was disabled: failing',
  },
  {
    alert: 'WebhooksLate',
    fires: [
      stays('hopwhistle_webhook_lag_seconds', 'instance="api-1"', 0),
      stays('hopwhistle_webhook_lag_seconds', 'instance="api-2"', 360),
    ],
    isQuiet: [stays('hopwhistle_webhook_lag_seconds', 'instance="api-1"', 300)],
    afterMinutes: 12,
    labels: { ...AT_LABELS, severity: 'ticket' },
    says: 'An event of prod/hw waits 6m 0s for a webhook that works',
  },
]
