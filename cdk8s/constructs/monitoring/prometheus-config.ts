import { stringify } from 'yaml'
import type { MonitoringValues } from '../../charts/monitoring-values.ts'
import { choose, empty } from '../../values/compute.ts'
import { RELEASE } from '../../values/define.ts'
import { ADMIN_PORT } from '../api.ts'
import { cadvisorAt, cadvisorOfAllNodes } from './cadvisor.ts'
import {
  ALERTMANAGER,
  API_PODS,
  JOBS,
  LEAST_SECONDS_OF_POSTGRES,
  PORTS,
  postgresExporter,
  REDIS_EXPORTER,
  secondsOfPostgres,
} from './names.ts'
import { stateMetricsJob } from './state-metrics.ts'

/**
 * prometheus.yml. Every API pod is scraped by itself, found by the name that leads to all of them: so for the platform
 * Prometheus asks nothing of Kubernetes. Each target says of which release it is.
 */
export function prometheusConfig({ release, scrapeSeconds, kubernetes }: MonitoringValues): string {
  const labels = [
    { target_label: 'namespace', replacement: `${RELEASE.namespace}` },
    { target_label: 'release', replacement: `${release}` },
  ]
  const found = (name: string, port: number) => ({ names: [name], type: 'A', port, refresh_interval: '5s' })
  const server = (name: string) => [
    // A name without addresses is a server that there is not.
    { source_labels: ['__meta_dns_name'], regex: `.*-${name}`, target_label: 'server', replacement: name },
  ]
  const always = stringify({
    global: { scrape_interval: `${scrapeSeconds}s`, evaluation_interval: `${scrapeSeconds}s` },
    rule_files: ['/etc/prometheus/rules/*.yaml'],
    alerting: {
      alertmanagers: [{ static_configs: [{ targets: [`${ALERTMANAGER.name}:${PORTS.alertmanager}`] }] }],
    },
    scrape_configs: [
      { job_name: JOBS.api, dns_sd_configs: [found(API_PODS.name, ADMIN_PORT)], relabel_configs: labels },
      {
        job_name: JOBS.postgres,
        scrape_interval: `${secondsOfPostgres(scrapeSeconds)}s`,
        // Else it is that of the others, which may be less.
        scrape_timeout: `${LEAST_SECONDS_OF_POSTGRES}s`,
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
  const { cadvisor, stateMetrics } = kubernetes
  const kubelets = choose<string>(
    empty(cadvisor.kubelet),
    more(cadvisorOfAllNodes()),
    more(cadvisorAt(cadvisor.kubelet)),
  )
  // The list is the last that is said, so that it goes on.
  return `${always}${choose(cadvisor.enabled, kubelets, '')}${choose(stateMetrics.enabled, more(stateMetricsJob()), '')}`
}

const more = (job: object): string => stringify({ scrape_configs: [job] }).replace('scrape_configs:\n', '')
