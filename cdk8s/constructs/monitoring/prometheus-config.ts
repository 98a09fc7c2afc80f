import { stringify } from 'yaml'
import type { MonitoringValues } from '../../charts/monitoring-values.ts'
import { RELEASE } from '../../values/define.ts'
import { ADMIN_PORT } from '../api.ts'
import { ALERTMANAGER, API_PODS, JOBS, PORTS, postgresExporter, REDIS_EXPORTER } from './names.ts'

/**
 * prometheus.yml. Every API pod is scraped by itself, found by the name that leads to all of them: so Prometheus asks
 * nothing of Kubernetes and needs no token. Each target says of which release it is.
 */
export function prometheusConfig({ release, scrapeSeconds }: MonitoringValues): string {
  const labels = [
    { target_label: 'namespace', replacement: `${RELEASE.namespace}` },
    { target_label: 'release', replacement: `${release}` },
  ]
  const found = (name: string, port: number) => ({ names: [name], type: 'A', port, refresh_interval: '5s' })
  const server = (name: string) => [
    // A name without addresses is a server that there is not.
    { source_labels: ['__meta_dns_name'], regex: `.*-${name}`, target_label: 'server', replacement: name },
  ]
  return stringify({
    global: { scrape_interval: `${scrapeSeconds}s`, evaluation_interval: `${scrapeSeconds}s` },
    rule_files: ['/etc/prometheus/rules/*.yaml'],
    alerting: {
      alertmanagers: [{ static_configs: [{ targets: [`${ALERTMANAGER.name}:${PORTS.alertmanager}`] }] }],
    },
    scrape_configs: [
      { job_name: JOBS.api, dns_sd_configs: [found(API_PODS.name, ADMIN_PORT)], relabel_configs: labels },
      {
        job_name: JOBS.postgres,
        dns_sd_configs: ['primary', 'replica'].map((name) =>
          found(postgresExporter(name).name, PORTS.postgresExporter),
        ),
        relabel_configs: [...labels, ...['primary', 'replica'].flatMap(server)],
      },
      {
        job_name: JOBS.redis,
        dns_sd_configs: [found(REDIS_EXPORTER.name, PORTS.redisExporter)],
        relabel_configs: labels,
      },
    ],
  })
}
