import { SCRAPE_JOBS } from '@hopwhistle/contract/metrics.ts'
import type { ApiInstance } from './stack-record.ts'

export type ScrapedServer = {
  readonly job: 'postgres' | 'redis'
  readonly instance: string
  readonly exporterPort: number
  readonly labels?: Readonly<Record<string, string>>
}

/** What a local platform is called on boards and in alerts. */
export const LOCAL_LABELS = { namespace: 'local', release: 'hopwhistle' } as const

const SCRAPE_SECONDS = 5

/** What Prometheus is told for the platform on this machine: its targets do not move. */
export function prometheusConfig(
  api: readonly ApiInstance[],
  servers: readonly ScrapedServer[],
  rules: readonly string[],
): string {
  const target = (address: string, instance: string, labels = {}) => ({
    targets: [address],
    labels: { ...LOCAL_LABELS, instance, ...labels },
  })
  // JSON is YAML.
  return JSON.stringify({
    global: { scrape_interval: `${SCRAPE_SECONDS}s`, evaluation_interval: `${SCRAPE_SECONDS}s` },
    rule_files: rules,
    scrape_configs: [
      {
        job_name: SCRAPE_JOBS.api,
        static_configs: api.map(({ id, adminUrl }) => target(new URL(adminUrl).host, id)),
      },
      ...(['postgres', 'redis'] as const).map((job) => ({
        job_name: SCRAPE_JOBS[job],
        static_configs: servers
          .filter((server) => server.job === job)
          .map(({ exporterPort, instance, labels }) => target(`127.0.0.1:${exporterPort}`, instance, labels)),
      })),
    ],
  })
}
