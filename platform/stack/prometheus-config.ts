import { NUMBERS } from '../settings/arithmetic.ts'
import { prometheusConfig, SCRAPE_SECONDS } from '../settings/scrapes.ts'
import type { ApiInstance } from './stack-record.ts'

export type ScrapedServer = {
  readonly job: 'postgres' | 'redis'
  readonly instance: string
  readonly exporterPort: number
  readonly labels?: Readonly<Record<string, string>>
}

/** The labels of a local platform on boards and in alerts. */
export const LOCAL_LABELS = { namespace: 'local', release: 'hopwhistle' } as const

/** The Prometheus configuration for the platform on this machine, with static targets. */
export function localPrometheusConfig(
  api: readonly ApiInstance[],
  servers: readonly ScrapedServer[],
  ruleFiles: readonly string[],
): string {
  const target = (address: string, instance: string, labels = {}) => ({
    targets: [address],
    labels: { ...LOCAL_LABELS, instance, ...labels },
  })
  const exporters = (job: ScrapedServer['job']) => ({
    static_configs: servers
      .filter((server) => server.job === job)
      .map(({ exporterPort, instance, labels }) => target(`127.0.0.1:${exporterPort}`, instance, labels)),
  })
  const targets = {
    api: { static_configs: api.map(({ id, adminUrl }) => target(new URL(adminUrl).host, id)) },
    postgres: exporters('postgres'),
    redis: exporters('redis'),
  }
  // JSON is YAML.
  return JSON.stringify(prometheusConfig({ everySeconds: SCRAPE_SECONDS, targets, ruleFiles }, NUMBERS))
}
