import { SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { bars, figure, lines, type Panel } from '../panels/panel.ts'
import { above, below, budget, burning, courseOnly, isUp, none, ofLimit } from '../panels/thresholds.ts'
import { instancesUp, up } from '../queries/instances.ts'
import { nearest } from '../queries/limits.ts'
import { lagSeconds, replicasStreaming } from '../queries/postgres.ts'
import { budgetLeft, burn, firing, kept, latency, throughput } from '../queries/promises.ts'
import { type Endpoint, SLIS } from '../slis.ts'
import type { Board, BoardRow } from './board.ts'

type Target = {
  readonly endpoint: Endpoint
  readonly title: string
  readonly noun: string
  readonly ratePerSecond: number
  readonly latencyMs: Readonly<Partial<Record<'p50Ms' | 'p95Ms' | 'p99Ms', number>>>
  readonly runbook: 'call-events-burn' | 'reports-burn' | 'live-burn'
}

const TARGETS: readonly Target[] = [
  {
    endpoint: 'events',
    title: 'Call events',
    noun: 'call events',
    ratePerSecond: SCENARIOS['call-state-updates'].targets.updates.ratePerSecond,
    latencyMs: SCENARIOS['call-state-updates'].targets.updates,
    runbook: 'call-events-burn',
  },
  {
    endpoint: 'reports',
    title: 'Reports',
    noun: 'reports',
    ratePerSecond: SCENARIOS['reporting-endpoints'].targets.reports.ratePerSecond,
    latencyMs: SCENARIOS['reporting-endpoints'].targets.reports,
    runbook: 'reports-burn',
  },
  {
    endpoint: 'live',
    title: 'Live delivery',
    noun: 'live messages',
    ratePerSecond: SCENARIOS['redis-pubsub'].targets.messages.ratePerSecond,
    latencyMs: SCENARIOS['redis-pubsub'].targets.messages,
    runbook: 'live-burn',
  },
]

const SHARES = [
  ['p50Ms', 0.5],
  ['p95Ms', 0.95],
  ['p99Ms', 0.99],
] as const

/** One row for each endpoint: current success ratio, percentiles, rate, remaining error budget and burn rate. */
function promiseRow({ endpoint, title, noun, ratePerSecond, latencyMs, runbook }: Target): BoardRow {
  const [success, ...others] = SLIS.filter((sli) => sli.endpoint === endpoint)
  if (success === undefined) throw new Error(`no promise is made about ${endpoint}`)
  const promises = [success, ...others].map(({ promise }) => promise).join('; ')
  // Four or five figures fill a line, so all rows look alike.
  const narrow = latencyMs.p50Ms !== undefined
  const percentiles: Panel[] = SHARES.flatMap(([name, share]) => {
    const ms = latencyMs[name]
    if (ms === undefined) return []
    const p = `p${share * 100}`
    return figure({
      title: `${title}: ${p}`,
      unit: 's',
      description: `${share * 100} % of all ${noun} took at most this. Good is below ${ms} ms.`,
      thresholds: below(ms / 1000),
      queries: [latency(endpoint, share)],
      runbook,
      width: narrow ? 4 : 6,
      noValue: 'no traffic',
    })
  })
  return {
    title: `${title}: ${promises}`,
    panels: [
      figure({
        title: `${title}: kept`,
        unit: 'percentunit',
        description: `The share that met “${success.promise}”. Good is above ${(1 - success.budget) * 100} %.`,
        thresholds: above(1 - success.budget),
        queries: [kept(success)],
        runbook,
        width: narrow ? 8 : 6,
        noValue: 'no traffic',
      }),
      ...percentiles,
      figure({
        title: `${title}: rate`,
        unit: endpoint === 'reports' ? 'reqps' : 'eps',
        description: `${title} a second over all instances. Good is the rate that clients send, up to the tested ${ratePerSecond}; a lower rate means only less load.`,
        thresholds: courseOnly,
        queries: [throughput(endpoint)],
        width: narrow ? 4 : 6,
      }),
      bars({
        title: `${title}: error budget left`,
        unit: 'percentunit',
        description: `The remaining error budget of each objective for 30 days. Good is above 25 %; at 0 the objective is missed.`,
        thresholds: budget,
        queries: [budgetLeft(endpoint)],
        runbook,
        width: 8,
        max: 1,
        noValue: 'no traffic',
      }),
      lines({
        title: `${title}: how fast budgets burn`,
        unit: 'x',
        description:
          'Burn rate of each error budget over 1 h. Good is below 1, which uses exactly the budget; from 14.4 on it pages at once.',
        thresholds: burning,
        queries: [burn(endpoint, '1h')],
        runbook,
        width: 16,
        noValue: 'no traffic',
      }),
    ],
  }
}

export const overview: Board = {
  name: 'overview',
  title: 'Hopwhistle: Overview',
  description: 'Does the platform meet its objectives, and how near is each limit?',
  rows: [
    {
      title: 'Now',
      panels: [
        figure({
          title: 'Alerts firing',
          unit: 'none',
          description: 'Alerts that fire now. Good is 0; the Alerting page lists them, each with its runbook.',
          thresholds: none,
          queries: [firing],
        }),
        figure({
          title: 'API instances up',
          unit: 'none',
          description: 'Instances that answer a scrape. Good is as many as there are replicas: three by default.',
          thresholds: isUp,
          queries: [instancesUp],
          runbook: 'target-down',
        }),
        figure({
          title: 'Replicas streaming',
          unit: 'none',
          description:
            'Postgres replicas that stream from the primary. Good is 1 or more: else reports load the primary.',
          thresholds: isUp,
          queries: [replicasStreaming],
          runbook: 'replica-gone',
        }),
        figure({
          title: 'Replica lag',
          unit: 's',
          description: 'Age of the replica’s data. Good is below 1 s; from 10 s on, reports do not use it.',
          thresholds: below(10),
          queries: [lagSeconds],
          runbook: 'replica-lagging',
        }),
        bars({
          title: 'Limits, nearest first',
          unit: 'percentunit',
          description: 'The used share of each limit. Good is below 80 %; the Limits board has all limits.',
          thresholds: ofLimit,
          queries: [nearest],
          runbook: 'limit-near',
          max: 1,
        }),
      ],
    },
    ...TARGETS.map(promiseRow),
    {
      title: 'Targets',
      panels: [
        lines({
          title: 'Targets that are scraped',
          unit: 'none',
          description: 'Targets of each job that answer Prometheus. Good is a level line.',
          thresholds: isUp,
          queries: [up],
          runbook: 'metrics-missing',
          width: 24,
        }),
      ],
    },
  ],
}
