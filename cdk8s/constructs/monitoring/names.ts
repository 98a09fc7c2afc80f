import { SCRAPE_JOBS } from '@hopwhistle/contract/metrics.ts'
import { EXPORTER_PORTS } from '@hopwhistle/platform/settings/scrapes.ts'
import type { MonitoringValues } from '../../chart-values/monitoring-values.ts'
import { choose, empty, type Operand } from '../../values/compute.ts'
import type { Value } from '../../values/value.ts'
import { type Component, component, type NamedFor, nameIn } from '../component.ts'

const part = (name: string, namedFor: NamedFor = 'statefulSet'): Component =>
  component(name, namedFor, 'hopwhistle-monitoring')

export const PROMETHEUS = part('prometheus')
export const ALERTMANAGER = part('alertmanager')
export const GRAFANA = part('grafana')
export const API_PODS = part('api-metrics', 'service')
export const REDIS_EXPORTER = part('redis-exporter')
export const STATE_METRICS = part('state-metrics')
/** One exporter for each server, `primary` and `replica`. */
export const postgresExporter = (server: string) => part(`postgres-exporter-${server}`)

export const PORTS = {
  prometheus: 9090,
  alertmanager: 9093,
  grafana: 3000,
  postgresExporter: EXPORTER_PORTS.postgres,
  redisExporter: EXPORTER_PORTS.redis,
  stateMetrics: 8080,
}

/** By which alerts and boards know their targets. */
export const JOBS = {
  ...SCRAPE_JOBS,
  cadvisor: 'kubernetes-cadvisor',
  stateMetrics: 'kube-state-metrics',
}

/** The address that was given, or else that of a server of the watched release. */
export function serverAt({ release }: MonitoringValues, given: Value<string>, server: string, port: number) {
  return choose<string>(empty(given), `${nameIn(release, server, 'statefulSet')}:${port}`, given as Operand<string>)
}

/** The Secret that was given, or else that of the watched release. */
export function credentialsIn({ release }: MonitoringValues, given: Value<string>): Value<string> {
  return choose<string>(empty(given), nameIn(release, 'credentials', 'object'), given as Operand<string>)
}
