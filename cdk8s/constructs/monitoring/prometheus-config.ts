import { prometheusConfig } from '@hopwhistle/platform/settings/scrapes.ts'
import { stringify } from 'yaml'
import type { MonitoringValues } from '../../chart-values/monitoring-values.ts'
import * as compute from '../../values/compute.ts'
import { RELEASE } from '../../values/define.ts'
import { ADMIN_PORT } from '../api.ts'
import { cadvisorAt, cadvisorOfAllNodes } from './cadvisor.ts'
import { ALERTMANAGER, API_PODS, PORTS, postgresExporter, REDIS_EXPORTER } from './names.ts'
import { stateMetricsJob } from './state-metrics.ts'

/**
 * prometheus.yml. Every API pod is scraped by itself, found by the name that leads to all of them: so for the platform
 * Prometheus asks nothing of Kubernetes. Each target says of which release it is.
 */
export function prometheusFile({ release, scrapeSeconds, kubernetes }: MonitoringValues): string {
  const labels = [
    { target_label: 'namespace', replacement: `${RELEASE.namespace}` },
    { target_label: 'release', replacement: `${release}` },
  ]
  const found = (name: string, port: number) => ({ names: [name], type: 'A', port, refresh_interval: '5s' })
  const server = (name: string) => [
    // A name without addresses is a server that there is not.
    { source_labels: ['__meta_dns_name'], regex: `.*-${name}`, target_label: 'server', replacement: name },
  ]
  const targets = {
    api: { dns_sd_configs: [found(API_PODS.name, ADMIN_PORT)], relabel_configs: labels },
    postgres: {
      dns_sd_configs: ['primary', 'replica'].map((name) => found(postgresExporter(name).name, PORTS.postgresExporter)),
      relabel_configs: [...labels, ...['primary', 'replica'].flatMap(server)],
    },
    redis: { dns_sd_configs: [found(REDIS_EXPORTER.name, PORTS.redisExporter)], relabel_configs: labels },
  }
  const always = stringify(
    prometheusConfig(
      {
        everySeconds: scrapeSeconds,
        ruleFiles: ['/etc/prometheus/rules/*.yaml'],
        alerting: {
          alertmanagers: [{ static_configs: [{ targets: [`${ALERTMANAGER.name}:${PORTS.alertmanager}`] }] }],
        },
        targets,
      },
      compute,
    ),
  )
  const { cadvisor, stateMetrics } = kubernetes
  const kubelets = compute.choose<string>(
    compute.empty(cadvisor.kubelet),
    more(cadvisorOfAllNodes()),
    more(cadvisorAt(cadvisor.kubelet)),
  )
  // The list is the last that is said, so that it goes on.
  return `${always}${compute.choose(cadvisor.enabled, kubelets, '')}${compute.choose(stateMetrics.enabled, more(stateMetricsJob()), '')}`
}

const more = (job: object): string => stringify({ scrape_configs: [job] }).replace('scrape_configs:\n', '')
