import { readFileSync } from 'node:fs'
import { SCENARIO_NAMES } from '@hopwhistle/contract/scenarios.ts'
import { expect, test } from 'vitest'
import { testRun } from '../../../loadtests/kubernetes/test-run.ts'
import { hopwhistle } from '../../charts/hopwhistle.ts'
import { loadtests } from '../../charts/loadtests.ts'
import { monitoring } from '../../charts/monitoring.ts'
import { API_VERSIONS, schemaProblems, TEST_RUN_OF } from '../../schemas/schema-problems.ts'
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

test.each([
  ['a field that k6-operator does not know', ['spec', 'runner', 'imagePullpolicy'], 'Always', 'additional properties'],
  ['a field of the wrong type', ['spec', 'parallelism'], '4', 'must be integer'],
  ['no script', ['spec', 'script'], undefined, "required property 'script'"],
  ['a CPU limit in the wrong place', ['spec', 'runner', 'resources', 'cpu'], '2', 'additional properties'],
  ['a toleration that is no list', ['spec', 'starter', 'tolerations'], {}, 'must be array'],
  [
    'a probe without a port',
    ['spec', 'runner', 'livenessProbe', 'httpGet', 'port'],
    undefined,
    "required property 'port'",
  ],
  ['an unknown way to clean up', ['spec', 'cleanup'], 'always', 'must be equal to one of'],
] as const)('a TestRun with %s is noticed', (_, path, value, message) => {
  const testRun = broken(synthesize(loadtests, { name: 'mine' }), 'TestRun', path, value)
  expect(schemaProblems('1.34', JSON.parse(JSON.stringify(testRun))).join()).toContain(message)
})

test('what bench run --cluster creates is as k6-operator expects it', () => {
  const images = { k6: 'grafana/k6:1.8.1', starter: 'curlimages/curl:8.20.0' }
  const runs = SCENARIO_NAMES.map((scenario) =>
    testRun({
      ...{ name: scenario, scenario, profile: 'full', parallelism: 4, apiUrl: 'http://api:3001', runId: 'r1', images },
      ...{ namespace: 'n', configMap: 'scripts', k6Version: '1.8.1', overrides: { RATE: '100' } },
    }),
  )
  expect(runs.length).toBeGreaterThan(3)
  expect(API_VERSIONS.flatMap((version) => schemaProblems(version, JSON.parse(JSON.stringify(runs))))).toEqual([])
})

test('the TestRuns are checked against the k6-operator that is installed', () => {
  const { k6Operator } = JSON.parse(readFileSync(new URL('../../../versions.json', import.meta.url), 'utf8'))
  expect(TEST_RUN_OF).toBe(k6Operator)
})
