import { LIMIT_TABLES, LIMITS, type LimitName } from '@hopwhistle/contract/limits.ts'
import { lines, type Panel, table, type Unit } from '../panels/panel.ts'
import { below, courseOnly, ofLimit, ofLimitAt } from '../panels/thresholds.ts'
import * as limits from '../queries/limits.ts'
import * as pods from '../queries/pods.ts'
import type { Board, BoardRow } from './board.ts'

/** The tables of docs/performance-baselines.md, in its order. */
const TITLES: Readonly<Record<keyof typeof LIMIT_TABLES, string>> = { postgres: 'Postgres', redis: 'Redis', api: 'API' }

type LimitUnit = (typeof LIMITS)[LimitName]['unit']
const UNITS: Readonly<Record<LimitUnit, Unit>> = {
  connections: 'none',
  ms: 'ms',
  bytes: 'bytes',
  requests: 'none',
  sockets: 'none',
  events: 'none',
  'events/s': 'reqps',
}

const COUNTS: readonly LimitUnit[] = ['connections', 'requests', 'sockets', 'events', 'events/s']

/** Limits that share a unit: bytes are shown as `MiB`, milliseconds as `s`. */
function limitTable(title: string, unit: Unit, units: readonly LimitUnit[], width: Panel['width']): Panel {
  const all = Object.keys(LIMITS) as LimitName[]
  const names = all.filter((name) => units.includes(LIMITS[name].unit))
  const { limit, used, peak, headRoom } = limits.useOf(names)
  return table({
    title,
    unit,
    description:
      'The highest use of an instance, or of all together, now and in the chosen time. Good is a head-room above 20 %.',
    thresholds: ofLimit,
    queries: [limit, used, peak, headRoom],
    rowLabel: 'resource',
    columnUnits: { 'head-room': 'percentunit' },
    runbook: 'limit-near',
    width,
  })
}

function limitPanel(resource: LimitName): Panel {
  const { value, unit, scope, env, note } = LIMITS[resource]
  const whose = { instance: 'of each instance', server: 'of all together', tenant: 'of the busiest tenant' }[scope]
  return lines({
    title: resource.replaceAll('_', ' ').replace(/^./, (letter) => letter.toUpperCase()),
    unit: UNITS[unit],
    description: `Use ${whose}, against the limit (${env}; ${note}). Good is below 80 % of it, ${value} by default.`,
    thresholds: ofLimitAt(value),
    queries: [limits.usageOf(resource), limits.limitOf(resource)],
    runbook: 'limit-near',
  })
}

const rows = (Object.keys(TITLES) as (keyof typeof TITLES)[]).map(
  (table): BoardRow => ({ title: TITLES[table], panels: LIMIT_TABLES[table].map(limitPanel) }),
)

export const limitsBoard: Board = {
  name: 'limits',
  title: 'Hopwhistle: Limits',
  description: 'Every limit, its use and its head-room.',
  rows: [
    {
      title: 'All limits',
      panels: [
        limitTable('Limit, use, peak and head-room', 'none', COUNTS, 24),
        limitTable('The same of bytes', 'bytes', ['bytes'], 12),
        limitTable('The same of times', 'ms', ['ms'], 12),
        lines({
          title: 'Used part of each limit',
          unit: 'percentunit',
          description: 'Good is below 80 %, where the first alert fires; the second does at 95 %.',
          thresholds: ofLimit,
          queries: [limits.usedShare],
          runbook: 'limit-near',
          width: 24,
          max: 1,
        }),
      ],
    },
    ...rows,
    {
      title: 'Pods (Kubernetes only)',
      panels: [
        lines({
          title: 'CPU of its limit',
          unit: 'percentunit',
          description: 'Good is below 80 %. More important is whether it is throttled: see the next panel.',
          thresholds: ofLimit,
          queries: [pods.cpu],
          runbook: 'cpu-throttled',
        }),
        lines({
          title: 'Throttled',
          unit: 'percentunit',
          description: 'The share of the scheduler’s periods in which a container was throttled. Good is below 5 %.',
          thresholds: below(0.25),
          queries: [pods.throttled],
          runbook: 'cpu-throttled',
        }),
        lines({
          title: 'Memory of its limit',
          unit: 'percentunit',
          description: 'Working set of its limit. Good is below 80 %; at 100 % the container is killed.',
          thresholds: ofLimit,
          queries: [pods.memory],
          runbook: 'memory-near-limit',
        }),
        table({
          title: 'CPU and memory of each pod',
          unit: 'none',
          description: 'Use and limit now. Good is a use below 80 % of either limit.',
          thresholds: ofLimit,
          queries: [pods.cpuTable, pods.cpuLimitTable, pods.memoryTable, pods.memoryLimitTable],
          rowLabel: 'pod',
          columnUnits: { 'CPU used': 'cores', 'CPU limit': 'cores', 'memory used': 'bytes', 'memory limit': 'bytes' },
          runbook: 'cpu-throttled',
          width: 16,
        }),
        lines({
          title: 'API replicas and their maximum',
          unit: 'none',
          description: 'Good is below the maximum: there, the autoscaler cannot add more.',
          thresholds: courseOnly,
          queries: [pods.replicas, pods.mostReplicas],
          runbook: 'hpa-at-maximum',
        }),
        lines({
          title: 'Restarts in an hour',
          unit: 'none',
          description: 'Containers that ended and were started again. Good is none, except during a rollout.',
          thresholds: below(3),
          queries: [pods.restarts],
          runbook: 'memory-near-limit',
          width: 24,
        }),
      ],
    },
  ],
}
