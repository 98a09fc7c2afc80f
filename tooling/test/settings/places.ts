/** What compose.yaml and the charts start their servers with, as their users get it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { parse } from 'yaml'
import { hopwhistle } from '../../../cdk8s/charts/hopwhistle.ts'
import { monitoring } from '../../../cdk8s/charts/monitoring.ts'
import { type Manifest, synthesize } from '../../../cdk8s/values/helm-chart.ts'
import { CHECKOUT } from '../run.ts'

type Service = {
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly mem_limit?: string
  readonly ulimits?: { readonly nofile: number }
}

type Probe = {
  readonly httpGet: { readonly path: string }
  readonly periodSeconds: number
  readonly timeoutSeconds: number
  readonly failureThreshold: number
  readonly successThreshold: number
}

type Container = {
  readonly args: readonly string[]
  readonly readinessProbe: Probe
  readonly resources: { readonly limits: { readonly memory: string } }
}

/** A service of compose.yaml, every file of the checkout that is mounted into it named by its path on this machine. */
export function composeService(name: string): Service {
  const { services } = parse(readFileSync(join(CHECKOUT, 'compose.yaml'), 'utf8'), { merge: true }) as {
    services: Readonly<Record<string, Service>>
  }
  const service = services[name] ?? expect.fail(`compose.yaml has no service ${name}`)
  const mounts = (service.volumes ?? []).filter((volume) => volume.startsWith('./')).map((volume) => volume.split(':'))
  const onThisMachine = (text: string) =>
    mounts.reduce((path, [from = '', to = '']) => path.replace(to, join(CHECKOUT, from)), text)
  return { ...service, command: service.command?.map(onThisMachine) ?? [] }
}

/** The only container of a workload of the chart hopwhistle, with its default values. */
export function chartContainer(workload: string): Container {
  const found = object(synthesize(hopwhistle), /^(Deployment|StatefulSet)$/, `hopwhistle-${workload}`)
  const { spec } = found as unknown as { spec: { template: { spec: { containers: readonly [Container] } } } }
  return spec.template.spec.containers[0]
}

export type PrometheusConfig = {
  readonly global: { readonly scrape_interval: string; readonly evaluation_interval: string }
  readonly scrape_configs: readonly {
    readonly job_name: string
    readonly scrape_interval?: string
    readonly scrape_timeout?: string
  }[]
}

export function composePrometheus(): PrometheusConfig {
  return parse(readFileSync(join(CHECKOUT, 'compose/prometheus.yml'), 'utf8'))
}

/** What the chart hopwhistle-monitoring gives to its own Prometheus, with default values. */
export function chartPrometheus(): { readonly config: PrometheusConfig; readonly args: readonly string[] } {
  const objects = synthesize(monitoring, { name: 'm' })
  const { data } = object(objects, /^ConfigMap$/, 'm-prometheus') as unknown as { data: Record<string, string> }
  const { spec } = object(objects, /^StatefulSet$/, 'm-prometheus') as unknown as {
    spec: { template: { spec: { containers: readonly [Container] } } }
  }
  return { config: parse(data['prometheus.yml'] ?? ''), args: spec.template.spec.containers[0].args }
}

/** Intervals that a Prometheus of an operator is given, by object. */
export function operatorIntervals(): readonly (readonly [name: string, interval: string])[] {
  return synthesize(monitoring, { name: 'm', values: { operator: { enabled: true } } }).flatMap((manifest) => {
    const { name } = manifest.metadata as { name: string }
    const spec = manifest.spec as Record<string, readonly { interval: string }[]> | undefined
    const endpoints = spec?.podMetricsEndpoints ?? spec?.endpoints ?? []
    return endpoints.map(({ interval }) => [name, interval] as const)
  })
}

function object(objects: readonly Manifest[], kind: RegExp, name: string): Manifest {
  const found = objects.find((one) => kind.test(one.kind) && (one.metadata as { name: string }).name === name)
  return found ?? expect.fail(`there is no ${kind.source} ${name}`)
}
