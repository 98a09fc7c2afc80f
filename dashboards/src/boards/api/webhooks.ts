import { WEBHOOK_LAG_SECONDS } from '../../alerts/webhook-alerts.ts'
import { lines } from '../../panels/panel.ts'
import { below, courseOnly, none } from '../../panels/thresholds.ts'
import * as webhooks from '../../queries/webhooks.ts'
import type { BoardRow } from '../board.ts'

export const webhookRow: BoardRow = {
  title: 'Webhooks',
  panels: [
    lines({
      title: 'Attempts to deliver',
      unit: 'ops',
      description:
        'Good is delivered only. Failures are those of receivers: each is tried again for a day, and then given up.',
      thresholds: courseOnly,
      queries: [webhooks.attempts],
    }),
    lines({
      title: 'From event to delivery',
      unit: 's',
      description: 'Good is below a second. What a receiver failed to take counts when it is delivered after all.',
      thresholds: courseOnly,
      queries: [webhooks.delay(0.5), webhooks.delay(0.95)],
    }),
    lines({
      title: 'Webhooks behind',
      unit: 's',
      description: 'Age of the oldest event that a working webhook has not been given. Good is below a second.',
      thresholds: below(WEBHOOK_LAG_SECONDS),
      queries: [webhooks.lag],
      runbook: 'webhooks',
    }),
    lines({
      title: 'Webhooks by state',
      unit: 'none',
      description: 'Of all tenants. Good is active; failing: nothing is delivered at the moment.',
      thresholds: courseOnly,
      queries: [webhooks.states],
      width: 12,
    }),
    lines({
      title: 'Webhooks disabled',
      unit: 'ops',
      description: 'By the platform, because nothing could be delivered for a day or they answered 410. Good is none.',
      thresholds: none,
      queries: [webhooks.disabled],
      width: 12,
      runbook: 'webhooks',
    }),
  ],
}
