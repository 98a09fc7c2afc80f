import { LIMITS, type LimitName } from '@hopwhistle/contract/limits.ts'
import { type AlertCase, AT_LABELS, counts, stays } from './alert-case.ts'

const used = (resource: string, part: number) => stays('hopwhistle:limit_used:ratio', `resource="${resource}"`, part)

const oneLimit = (resource: LimitName): readonly AlertCase[] => [
  {
    alert: 'LimitNear',
    fires: [used(resource, 0.85)],
    isQuiet: [used(resource, 0.8)],
    afterMinutes: 10,
    labels: { ...AT_LABELS, resource, severity: 'ticket' },
    says: `${resource} of prod/hw is used to 85%`,
  },
  {
    alert: 'LimitReached',
    fires: [used(resource, 0.96)],
    isQuiet: [used(resource, 0.95)],
    afterMinutes: 10,
    labels: { ...AT_LABELS, resource, severity: 'page' },
    says: `${resource} of prod/hw is used to 96%`,
    along: ['LimitNear'],
  },
]

export const limitCases: readonly AlertCase[] = [
  ...(Object.keys(LIMITS) as LimitName[]).flatMap(oneLimit),
  {
    alert: 'RequestsRejected',
    fires: [counts('hopwhistle_rejected_total', 'instance="api-1", reason="ingest-overloaded"', 120)],
    isQuiet: [counts('hopwhistle_rejected_total', 'instance="api-1", reason="ingest-overloaded"', 5)],
    afterMinutes: 15,
    labels: { ...AT_LABELS, reason: 'ingest-overloaded', severity: 'ticket' },
    says: 'prod/hw refuses 2.0 requests a second: ingest-overloaded',
  },
  {
    alert: 'EventLoopBusy',
    fires: [stays('hopwhistle_event_loop_utilization_ratio', 'instance="api-2"', 0.97)],
    // One moment below the threshold is enough: it must be busy all the time.
    isQuiet: [
      [
        'hopwhistle_event_loop_utilization_ratio{namespace="prod", release="hw", instance="api-2"}',
        '0.97x7 0.5 0.97x4',
      ],
    ],
    afterMinutes: 12,
    labels: { ...AT_LABELS, instance: 'api-2', severity: 'ticket' },
    says: 'The event loop of api-2 is busy 97% of the time',
  },
]
