import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { monitoring } from '../../charts/monitoring.ts'
import { synthesize } from '../../values/helm-chart.ts'
import type { Json } from '../../values/value.ts'
import { byName, chartFolder, helm, helmTemplate, NEEDS_HELM } from '../support/helm.ts'

const given: readonly [string, { readonly [name: string]: Json }][] = [
  ['its defaults', {}],
  ['an operator', { operator: { enabled: true, labels: { release: 'stack' } }, rules: 'demo' }],
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
