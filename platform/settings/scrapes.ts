/** What Prometheus scrapes and how often, defined once. Each place adds how targets are found. */
import { SCRAPE_JOBS } from '@hopwhistle/contract/metrics.ts'
import type { Arithmetic } from './arithmetic.ts'

/** The windows of boards and alerts hold several of these. */
export const SCRAPE_SECONDS = 5

/**
 * At least this long between two scrapes of a Postgres exporter, and the timeout of one: to report that its server is
 * gone takes the exporter two seconds, and of the three connections that it tries then, Linux answers one a second that
 * it is refused.
 */
export const POSTGRES_SCRAPE_SECONDS = 5

export const EXPORTER_PORTS = { postgres: 9187, redis: 9121 } as const

/** Load tests can send what they measure: see docs/observability.md. */
export const PROMETHEUS_FLAGS = ['--web.enable-remote-write-receiver', '--enable-feature=native-histograms'] as const

/** `static_configs`, `dns_sd_configs`, `relabel_configs` of a job. */
export type Discovery = Readonly<Record<string, unknown>>

export type Scrapes<N> = {
  readonly everySeconds: N
  readonly targets: Readonly<Record<keyof typeof SCRAPE_JOBS, Discovery>>
  readonly ruleFiles: readonly string[]
  /** More jobs than every installation has. */
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
        // Without it, it is the interval of the others, which may be less.
        scrape_timeout: `${POSTGRES_SCRAPE_SECONDS}s`,
        ...targets.postgres,
      },
      { job_name: SCRAPE_JOBS.redis, ...targets.redis },
      ...moreJobs,
    ],
  }
}
