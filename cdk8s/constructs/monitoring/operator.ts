import { postgresScrapeSeconds } from '@hopwhistle/platform/settings/scrapes.ts'
import { Construct } from 'constructs'
import type { MonitoringValues } from '../../chart-values/monitoring-values.ts'
import * as compute from '../../values/compute.ts'
import { customObject } from '../../values/kube-object.ts'
import { Conditional } from '../../values/when.ts'
import { type Component, component } from '../component.ts'
import { JOBS, postgresExporter, REDIS_EXPORTER } from './names.ts'
import { RULE_FILES, rulesFile } from './prometheus.ts'

/** The same targets and rules, for Prometheus Operator. */
export class OperatorObjects extends Construct {
  constructor(scope: Construct, values: MonitoringValues) {
    super(scope, 'operator')
    const { release, scrapeSeconds, operator } = values
    const labelsOf = ({ labels }: Component) => compute.merged(operator.labels, labels)
    const endpoint = (port: string, job: string, server?: string) => ({
      port,
      interval: `${job === JOBS.postgres ? postgresScrapeSeconds(scrapeSeconds, compute) : scrapeSeconds}s`,
      relabelings: [
        { targetLabel: 'job', replacement: job },
        { targetLabel: 'release', replacement: release },
        ...(server === undefined ? [] : [{ targetLabel: 'server', replacement: server }]),
      ],
    })

    const api = component('api-monitor', 'object', 'hopwhistle-monitoring')
    customObject(this, 'api', {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PodMonitor',
      metadata: { name: api.name, labels: labelsOf(api) },
      spec: {
        selector: { matchLabels: { 'app.kubernetes.io/instance': release, 'app.kubernetes.io/component': 'api' } },
        podMetricsEndpoints: [endpoint('admin', JOBS.api)],
      },
    })
    const monitor = (on: Construct, exporter: Component, job: string, server?: string) =>
      customObject(on, `${exporter.labels['app.kubernetes.io/component']}`, {
        apiVersion: 'monitoring.coreos.com/v1',
        kind: 'ServiceMonitor',
        metadata: { name: exporter.name, labels: labelsOf(exporter) },
        spec: { selector: { matchLabels: exporter.selector }, endpoints: [endpoint('http', job, server)] },
      })
    const postgres = new Conditional(this, 'postgres', values.postgres.enabled)
    monitor(postgres, postgresExporter('primary'), JOBS.postgres, 'primary')
    const replicated = new Conditional(postgres, 'replicated', values.postgres.replica.enabled)
    monitor(replicated, postgresExporter('replica'), JOBS.postgres, 'replica')
    monitor(new Conditional(this, 'redis', values.redis.enabled), REDIS_EXPORTER, JOBS.redis)

    for (const file of RULE_FILES) {
      const rules = component(`rules-${file}`, 'object', 'hopwhistle-monitoring')
      customObject(this, file, {
        apiVersion: 'monitoring.coreos.com/v1',
        kind: 'PrometheusRule',
        metadata: { name: rules.name, labels: labelsOf(rules) },
        spec: compute.parsed(rulesFile(values, file)),
      })
    }
  }
}
