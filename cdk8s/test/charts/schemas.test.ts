import { expect, test } from 'vitest'
import { hopwhistle } from '../../charts/hopwhistle.ts'
import { monitoring } from '../../charts/monitoring.ts'
import { API_VERSIONS, schemaProblems } from '../../schemas/schema-problems.ts'
import { type Manifest, synthesize } from '../../values/helm-chart.ts'

const operated = () => synthesize(monitoring, { name: 'mine', values: { operator: { enabled: true } } })

/** An object of a kind, with one thing in it that Kubernetes does not take. */
function broken(all: readonly Manifest[], kind: string, ...[path, value]: [readonly (string | number)[], unknown]) {
  const manifest = structuredClone(all.find((each) => each.kind === kind)) as Manifest
  const last = path.at(-1)!
  // biome-ignore lint/suspicious/noExplicitAny: it is taken apart here
  const at = path.slice(0, -1).reduce<any>((part, name) => part[name], manifest)
  at[last] = value
  return [manifest]
}

test.each([
  ['Deployment', ['spec', 'replica'], 3, 'additional properties'],
  ['StatefulSet', ['spec', 'template', 'spec', 'containers', 0, 'ports', 0, 'containerPort'], '80', 'must be integer'],
  ['Service', ['spec', 'ports', 0, 'port'], undefined, "required property 'port'"],
  ['Job', ['apiVersion'], 'batch/v1beta1', 'has no batch/v1beta1/Job'],
] as const)('a %s with %j of %j is noticed in every version of Kubernetes', (kind, path, value, message) => {
  for (const version of API_VERSIONS) {
    const [problem] = schemaProblems(
      version,
      JSON.parse(JSON.stringify(broken(synthesize(hopwhistle), kind, path, value))),
    )
    expect(problem).toContain(`Kubernetes ${version}`)
    expect(problem).toContain(message)
  }
})

test.each([
  ['ServiceMonitor', ['spec', 'endpoints', 0, 'intervall'], '5s', 'additional properties'],
  ['PodMonitor', ['spec', 'podMetricsEndpoints', 0, 'interval'], '5 s', 'must match pattern'],
  ['PrometheusRule', ['spec', 'groups', 0, 'rules', 0, 'expr'], undefined, "required property 'expr'"],
] as const)('a %s with %j of %j is noticed', (kind, path, value, message) => {
  const problems = schemaProblems('1.34', JSON.parse(JSON.stringify(broken(operated(), kind, path, value))))
  expect(problems.join()).toContain(message)
})
