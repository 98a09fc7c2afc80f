/**
 * What k6 is told so that it writes its metrics to Prometheus while it runs. Percentiles cannot be merged over runners:
 * latencies go as native histograms, whose buckets can, and everything else as counts.
 */
export type RemoteWrite = {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export type LabelledRun = {
  readonly runId: string
  readonly scenario: string
  /** Tells the series of one runner from those of another; k6-operator gives its runners this tag by itself. */
  readonly runner?: number
}

/** Names of k6 itself. */
export const REMOTE_WRITE_URL = 'K6_PROMETHEUS_RW_SERVER_URL'
/** How to prove who one is; passed on as they are, through the environment. */
const CREDENTIALS = /^K6_PROMETHEUS_RW_(USERNAME|PASSWORD|BEARER_TOKEN|HEADERS_.+|INSECURE_SKIP_TLS_VERIFY)$/

const PUSH_EVERY = '5s'
/** Of k6; what is set there holds. */
const PUSH_INTERVAL = 'K6_PROMETHEUS_RW_PUSH_INTERVAL'

/** @returns nothing to add when the environment names no address: k6 without an output does less */
export function remoteWrite(environment: NodeJS.ProcessEnv, { runId, scenario, runner }: LabelledRun): RemoteWrite {
  const url = environment[REMOTE_WRITE_URL]
  if (url === undefined || url === '') return { args: [], env: {} }
  const credentials = Object.entries(environment).filter(([name]) => CREDENTIALS.test(name)) as [string, string][]
  return {
    args: [
      '--out',
      'experimental-prometheus-rw',
      '--tag',
      `run_id=${runId}`,
      // k6 has a label `scenario` of its own, which tells publishers from subscribers.
      '--tag',
      `loadtest=${scenario}`,
      ...(runner === undefined ? [] : ['--tag', `instance_id=${runner}`]),
    ],
    env: {
      ...Object.fromEntries(credentials),
      [REMOTE_WRITE_URL]: url,
      K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM: 'true',
      [PUSH_INTERVAL]: environment[PUSH_INTERVAL] ?? PUSH_EVERY,
      // The series end with the test, and not five minutes later.
      K6_PROMETHEUS_RW_STALE_MARKERS: 'true',
    },
  }
}
