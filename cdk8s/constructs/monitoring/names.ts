import type { MonitoringValues } from '../../charts/monitoring-values.ts'
import { choose, empty, larger, type Operand } from '../../values/compute.ts'
import type { Value } from '../../values/value.ts'
import { type Component, component } from '../component.ts'

const part = (name: string): Component => component(name, 'hopwhistle-monitoring')

export const PROMETHEUS = part('prometheus')
export const ALERTMANAGER = part('alertmanager')
export const GRAFANA = part('grafana')
export const API_PODS = part('api-metrics')
export const REDIS_EXPORTER = part('redis-exporter')
export const STATE_METRICS = part('state-metrics')
/** One exporter for each server, `primary` and `replica`. */
export const postgresExporter = (server: string) => part(`postgres-exporter-${server}`)

export const PORTS = {
  prometheus: 9090,
  alertmanager: 9093,
  grafana: 3000,
  postgresExporter: 9187,
  redisExporter: 9121,
  stateMetrics: 8080,
}

/** By which alerts and boards know their targets. */
export const JOBS = {
  api: 'hopwhistle-api',
  postgres: 'hopwhistle-postgres',
  redis: 'hopwhistle-redis',
  cadvisor: 'kubernetes-cadvisor',
  stateMetrics: 'kube-state-metrics',
}

export const LEAST_SECONDS_OF_POSTGRES = 5
/**
 * Between two looks at a server of Postgres: to say that it is gone takes the exporter two seconds, and of the three
 * connections that it tries then, Linux answers one a second that it is refused.
 */
export const secondsOfPostgres = (scrapeSeconds: Value<number>): Value<number> =>
  larger(scrapeSeconds, LEAST_SECONDS_OF_POSTGRES)

/** What was given, or else what the watched release has. */
export function orOfRelease({ release }: MonitoringValues, given: Value<string>, suffix: string): Value<string> {
  return choose<string>(empty(given), `${release}-${suffix}`, given as Operand<string>)
}
