/** Tests the recording rules with counters, for `promtool test rules`. */
import { stringify } from 'yaml'
import { RECORDED } from '../../src/recorded-series.ts'
import { counts, type Series, stays } from './alert-case.ts'

const events = 'instance="api-1", method="POST", route="/api/v1/events/call"'
const took = (le: string, aMinute: number) =>
  counts('hopwhistle_http_request_duration_seconds_bucket', `${events}, le="${le}"`, aMinute, 20)

/** 100 events a minute: 90 within 300 ms, 98 within 500 ms, none failed. */
const SERIES: readonly Series[] = [
  took('0.3', 90),
  took('0.5', 98),
  took('+Inf', 100),
  counts('hopwhistle_http_request_duration_seconds_count', events, 100, 20),
  counts('hopwhistle_http_requests_total', `${events}, status="200"`, 100, 20),
  // Two instances report the same server; each has its own sockets.
  stays('hopwhistle_limit', 'instance="api-1", resource="postgres_connections"', 100, 20),
  stays('hopwhistle_usage', 'instance="api-1", resource="postgres_connections"', 40, 20),
  stays('hopwhistle_limit', 'instance="api-2", resource="postgres_connections"', 100, 20),
  stays('hopwhistle_usage', 'instance="api-2", resource="postgres_connections"', 42, 20),
  stays('hopwhistle_limit', 'instance="api-1", resource="websockets"', 1_000, 20),
  stays('hopwhistle_usage', 'instance="api-1", resource="websockets"', 250, 20),
]

type Expected = readonly (readonly [labels: string, value: number])[]

const at = (expr: string, expected: Expected) => ({
  expr: `round(${expr}, 0.001)`,
  eval_time: '15m',
  exp_samples: expected.map(([labels, value]) => ({ labels: `{namespace="prod", release="hw", ${labels}}`, value })),
})

const EXPECTATIONS = [
  // 10 % were late where 5 % is allowed, and 2 % where 1 % is allowed. Reports had no traffic, so they have no rate.
  at(`${RECORDED.burn}{window="5m"}`, [
    ['slo="events-success", window="5m"', 0],
    ['slo="events-p95", window="5m"', 2],
    ['slo="events-p99", window="5m"', 2],
  ]),
  at(RECORDED.budgetLeft, [
    ['slo="events-success"', 1],
    ['slo="events-p95"', -1],
    ['slo="events-p99"', -1],
  ]),
  at(RECORDED.limitUsed, [
    ['resource="postgres_connections"', 0.42],
    ['resource="websockets", instance="api-1"', 0.25],
  ]),
]

export const recordingTests = (ruleFiles: readonly string[]): string =>
  stringify(
    {
      rule_files: ruleFiles,
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: SERIES.map(([series, values]) => ({ series, values })),
          promql_expr_test: EXPECTATIONS,
        },
      ],
    },
    { lineWidth: 0 },
  )
