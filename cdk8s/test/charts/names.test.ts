import { describe, expect, test } from 'vitest'
import { CHARTS } from '../../charts/charts.ts'
import { hopwhistle } from '../../charts/hopwhistle.ts'
import { monitoring } from '../../charts/monitoring.ts'
import { defaultsOf } from '../../values/define.ts'
import { type Manifest, synthesize } from '../../values/helm-chart.ts'
import type { Json } from '../../values/value.ts'
import { chartFolder, helm, helmTemplate, NEEDS_HELM } from '../support/helm.ts'
import { switchedOn } from '../support/switched-on.ts'

/** Helm allows 53 characters, dots, and a digit first. */
const RELEASES = [
  'hopwhistle-production',
  'x'.repeat(53),
  'calls.eu-west-1.production',
  '2nd',
  'a-'.repeat(26).concat('b'),
]

/** What Kubernetes allows: it makes names and labels of its own from those of StatefulSets, Jobs and CronJobs. */
const LONGEST: Readonly<Record<string, number>> = { Service: 63, StatefulSet: 52, Job: 63, CronJob: 52, TestRun: 51 }
const LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

const nameOf = ({ metadata }: Manifest) => (metadata as { readonly name: string }).name

function tooLong(manifest: Manifest): boolean {
  const name = nameOf(manifest)
  const longest = LONGEST[manifest.kind]
  return longest === undefined ? !SUBDOMAIN.test(name) || name.length > 253 : !LABEL.test(name) || name.length > longest
}

const everythingOn = (chart: (typeof CHARTS)[number], release: string) => {
  const switched = Object.entries(defaultsOf(chart.values)).map(([name, value]) => [name, switchedOn(value)])
  return [{}, Object.fromEntries(switched) as { readonly [name: string]: Json }].flatMap((values) =>
    synthesize(chart, { name: release, values }),
  )
}

describe.each(CHARTS.map((chart) => [chart.name, chart] as const))('%s', (_, chart) => {
  test.each(RELEASES)('as release %s has only names that Kubernetes takes', (release) => {
    const refused = everythingOn(chart, release).filter(tooLong)
    expect(refused.map((manifest) => `${manifest.kind} ${nameOf(manifest)}`)).toEqual([])
  })

  test.each(RELEASES)('as release %s has every object that another one names', (release) => {
    const names = (kind: string, all: readonly Manifest[]) =>
      new Set(all.filter((manifest) => manifest.kind === kind).map(nameOf))
    const all = synthesize(chart, { name: release })
    const text = JSON.stringify(all)
    const named = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name ?? '')
    const missing = [
      ...named(/"configMap":\{"name":"([^"]+)"/g).filter((name) => !names('ConfigMap', all).has(name)),
      ...named(/"serviceName":"([^"]+)"/g).filter((name) => !names('Service', all).has(name)),
      ...named(/"serviceAccountName":"([^"]+)"/g).filter((name) => !names('ServiceAccount', all).has(name)),
    ]
    expect(missing).toEqual([])
  })

  test('as release mine is named as ever', () => {
    const names = everythingOn(chart, 'mine').map(nameOf)
    expect(names.filter((name) => !/^(default-)?mine(-|$)/.test(name))).toEqual([])
  })

  test.skipIf(helm === undefined)(`has the same names by Helm${NEEDS_HELM}`, async () => {
    const release = 'calls.eu-west-1.production'
    const named = (all: readonly Manifest[]) => all.map((manifest) => `${manifest.kind} ${nameOf(manifest)}`).sort()
    const rendered = await helmTemplate(chartFolder(chart), release)
    expect(named(rendered)).toEqual(named(synthesize(chart, { name: release, namespace: 'here' })))
  })
})

test.each(['mine', ...RELEASES])('exporters reach the servers of the release %s that they watch', (release) => {
  const services = synthesize(hopwhistle, { name: release })
    .filter(({ kind }) => kind === 'Service')
    .map(nameOf)
  const exporters = JSON.stringify(
    synthesize(monitoring, { name: 'monitoring', values: { release } }).filter(({ kind }) => kind === 'StatefulSet'),
  )
  for (const server of ['postgres', 'postgres-replica', 'redis']) {
    const service = services.find((name) => name.endsWith(`-${server}`))
    expect(exporters).toMatch(new RegExp(`[/"]${service}:\\d+`))
  }
  const credentials = synthesize(hopwhistle, { name: release }).find(({ kind }) => kind === 'Role')
  expect(exporters).toContain(`"name":"${nameOf(credentials!)}"`)
})
