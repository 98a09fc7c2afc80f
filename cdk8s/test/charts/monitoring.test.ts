import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { monitoring } from '../../charts/monitoring.ts'
import { synthesize } from '../../values/helm-chart.ts'
import type { Json } from '../../values/value.ts'
import { byName, chartFolder, helm, helmTemplate, NEEDS_HELM } from '../support/helm.ts'

const given: readonly [string, { readonly [name: string]: Json }][] = [
  ['its defaults', {}],
  ['an operator', { operator: { enabled: true, labels: { release: 'stack' } }, rules: 'demo' }],
  ['runbooks elsewhere', { runbooksUrl: 'https://example.com/runbooks', rules: 'drill' }],
  ['a Grafana elsewhere', { grafana: { url: 'https://grafana.example.com', alerts: { existingSecret: 'whom' } } }],
  [
    'nothing of Kubernetes',
    {
      kubernetes: { cadvisor: { enabled: false }, stateMetrics: { enabled: false } },
      grafana: { alerts: { enabled: false } },
    },
  ],
  ['no Grafana, no replica', { grafana: { enabled: false }, postgres: { replica: { enabled: false } } }],
  ['Secrets of somebody else', { alertmanager: { existingSecret: 'whom' }, grafana: { existingSecret: 'grafana' } }],
]

describe.skipIf(helm === undefined)(`hopwhistle-monitoring rendered by Helm${NEEDS_HELM}`, () => {
  test.each(given)('is object by object what is synthesized plainly, with %s', async (_, values) => {
    const rendered = await helmTemplate(chartFolder(monitoring), 'mine', values)
    expect(byName(rendered)).toEqual(byName(synthesize(monitoring, { name: 'mine', namespace: 'here', values })))
  })
})

test('an operator gets the rules that our own Prometheus has, and nothing that does its work', () => {
  const own = byName(synthesize(monitoring, { name: 'm' })) as Record<string, { data: Record<string, string> }>
  const operated = byName(synthesize(monitoring, { name: 'm', values: { operator: { enabled: true } } }))
  const rules = own['ConfigMap m-prometheus-rules']?.data['alerts.yaml'] ?? ''
  expect(operated['PrometheusRule m-rules-alerts']).toMatchObject({ spec: parse(rules) })
  expect(Object.keys(operated).filter((name) => /StatefulSet .*(prometheus|alertmanager|grafana)/.test(name))).toEqual(
    [],
  )
})

test('boards and alerts go through Helm with their braces', () => {
  const objects = byName(synthesize(monitoring, { name: 'm' })) as Record<string, { data: Record<string, string> }>
  expect(objects['ConfigMap m-prometheus-rules']?.data['alerts.yaml']).toContain('{{ $labels.namespace }}')
})

describe('an alert links to its runbook', () => {
  const linksOf = (values: { readonly [name: string]: Json }) => {
    const objects = byName(synthesize(monitoring, { name: 'm', values })) as Record<
      string,
      { data: Record<string, string> }
    >
    const rules = objects['ConfigMap m-prometheus-rules']?.data['alerts.yaml'] ?? ''
    const grafana = objects['ConfigMap m-grafana-provisioning']?.data['alerting.rules.yaml'] ?? ''
    return [rules, grafana].map((text) => text.match(/runbook_url: .*replica-gone.*/)?.[0])
  }
  test('on the board of Grafana, where that is', () => {
    const link = 'runbook_url: http://localhost:3000/d/hopwhistle-runbooks/replica-gone?viewPanel=panel-12'
    expect(linksOf({})).toEqual([link, link])
    const there = link.replace('http://localhost:3000', 'https://grafana.example.com')
    expect(linksOf({ grafana: { url: 'https://grafana.example.com' } })).toEqual([there, there])
  })
  test('or in a file, where those are', () => {
    const link = 'runbook_url: https://example.com/runbooks/replica-gone.md'
    expect(linksOf({ runbooksUrl: 'https://example.com/runbooks' })).toEqual([link, link])
  })
})

test('Prometheus has a token only to read from kubelets', () => {
  const podOf = (enabled: boolean) => {
    const values = { kubernetes: { cadvisor: { enabled } } }
    const objects = byName(synthesize(monitoring, { name: 'm', values })) as Record<string, { spec: Pod }>
    return objects['StatefulSet m-prometheus']?.spec.template.spec
  }
  expect(podOf(true)).toMatchObject({ automountServiceAccountToken: true, serviceAccountName: 'm-prometheus' })
  expect(podOf(false)).toMatchObject({ automountServiceAccountToken: false })
  expect(podOf(false)).not.toHaveProperty('serviceAccountName')
})

type Pod = { readonly template: { readonly spec: object } }
