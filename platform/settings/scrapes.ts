/** What Prometheus scrapes, and how often, defined once. Each place adds how to find targets. */
import { SCRAPE_JOBS } from '@hopwhistle/contract/metrics.ts'
import type { Arithmetic } from './arithmetic.ts'

/** Windows of boards and alerts contain several scrapes. */
export const SCRAPE_SECONDS = 5

/**
 * The shortest time between two scrapes of a Postgres exporter, and the timeout of one. The exporter needs two seconds to
 * report that its server is down: it tries three connections, and Linux refuses only one a second.
 */
export const POSTGRES_SCRAPE_SECONDS = 5

export const EXPORTER_PORTS = { postgres: 9187, redis: 9121 } as const

/** Lets load tests send their metrics: see docs/observability.md. */
export const PROMETHEUS_FLAGS = ['--web.enable-remote-write-receiver', '--enable-feature=native-histograms'] as const

/** `static_configs`, `dns_sd_configs`, `relabel_configs` of a job. */
export type Discovery = Readonly<Record<string, unknown>>

export type Scrapes<N> = {
  readonly everySeconds: N
  readonly targets: Readonly<Record<keyof typeof SCRAPE_JOBS, Discovery>>
  readonly ruleFiles: readonly string[]
  /** Additional jobs of this installation. */
  readonly moreJobs?: readonly ({ readonly job_name: string } & Discovery)[]
  readonly alerting?: Discovery
}

export function postgresScrapeSeconds<N>(everySeconds: N, by: Arithmetic<N>): N {
  return by.larger(everySeconds, POSTGRES_SCRAPE_SECONDS)
}

/** A prometheus.yml as an object; the list of jobs comes last. */
export function prometheusConfig<N>(
  { everySeconds, targets, ruleFiles, moreJobs = [], alerting }: Scrapes<N>,
  by: Arithmetic<N>,
): object {
  return {
    global: { scrape_interval: `${everySeconds}s`, evaluation_interval: `${everySeconds}s` },
    rule_files: ruleFiles,
    ...(alerting === undefined ? {} : { alerting }),
    scrape_configs: [
      { job_name: SCRAPE_JOBS.api, ...targets.api },
      {
        job_name: SCRAPE_JOBS.postgres,
        scrape_interval: `${postgresScrapeSeconds(everySeconds, by)}s`,
        // Otherwise the interval of the other jobs applies, which may be shorter.
        scrape_timeout: `${POSTGRES_SCRAPE_SECONDS}s`,
        ...targets.postgres,
      },
      { job_name: SCRAPE_JOBS.redis, ...targets.redis },
      ...moreJobs,
    ],
  }
}
