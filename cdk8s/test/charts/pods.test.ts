import { describe, expect, test } from 'vitest'
import { CHARTS } from '../../charts/charts.ts'
import { defaultsOf } from '../../values/define.ts'
import { type HelmChart, type Manifest, synthesize } from '../../values/helm-chart.ts'
import type { Json } from '../../values/value.ts'
import { podsOf } from '../support/hardening.ts'
import { byName, chartFolder, helm, helmTemplate, NEEDS_HELM } from '../support/helm.ts'
import { everythingOfItsOwn, type Tree, withAt } from '../support/switched-on.ts'

const TERM = { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }
/** One of everything that a cluster may ask of a pod. */
const ASKED = {
  labels: { team: 'calls' },
  annotations: { 'sidecar.istio.io/inject': 'false' },
  serviceAccountName: 'nobody',
  priorityClassName: 'high',
  nodeSelector: { pool: 'a' },
  tolerations: [{ key: 'a', operator: 'Exists' }],
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [TERM] } } },
  topologySpreadConstraints: [{ topologyKey: 'rack', maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway' }],
  extraEnv: [{ name: 'HTTPS_PROXY', valueFrom: { secretKeyRef: { name: 'proxy', key: 'url' } } }],
  extraEnvFrom: [{ secretRef: { name: 'more' } }],
}

/** These need a service account of their own, or a place beside another pod. */
const OWN_ACCOUNT = /^(StatefulSet .*-(prometheus|state-metrics)|Job .*-credentials-\S+|CronJob .*-load-test) /
const NO_ENV_FROM = /initializer$/

const everything = (chart: HelmChart, values: Tree): Tree => ({ ...everythingOfItsOwn(chart), ...values })

describe.each(CHARTS.map((chart) => [chart.name, chart] as const))('%s', (_, chart) => {
  const values = {
    imagePullSecrets: [{ name: 'registry' }],
  }
  const all = (more: Tree) =>
    synthesize(chart, { name: 'mine', values: everything(chart, { ...values, ...more }) as never })

  test('gives every pod what is asked of all', () => {
    const pods = all({ pods: ASKED }).flatMap((manifest) =>
      podsOf(manifest).map(
        (pod, i) => [`${manifest.kind} ${nameOf(manifest)} ${pod.containers[0]?.name ?? i}`, pod] as const,
      ),
    )
    expect(pods.length).toBeGreaterThan(2)
    for (const [name, { labels, annotations, spec, containers }] of pods) {
      expect(labels, name).toMatchObject(ASKED.labels)
      expect(annotations, name).toMatchObject(ASKED.annotations)
      expect(spec.imagePullSecrets, name).toEqual([{ name: 'registry' }])
      expect(spec.priorityClassName, name).toBe('high')
      expect(spec.nodeSelector, name).toMatchObject(ASKED.nodeSelector)
      expect(spec.tolerations, name).toEqual(expect.arrayContaining(ASKED.tolerations))
      expect(spec.affinity, name).toMatchObject(ASKED.affinity)
      expect(spec.topologySpreadConstraints, name).toEqual(ASKED.topologySpreadConstraints)
      if (!OWN_ACCOUNT.test(name)) expect(spec.serviceAccountName, name).toBe('nobody')
      for (const container of containers) {
        expect(container.env, name).toEqual(expect.arrayContaining(ASKED.extraEnv))
        if (!NO_ENV_FROM.test(name)) expect(container.envFrom, name).toEqual(ASKED.extraEnvFrom)
      }
    }
  })

  test('gives pods of a kind what is asked of that kind, over what is asked of all', () => {
    const kinds = pathsOf(defaultsOf(chart.values), /^(pod|(runner|initializer|starter)Pod)$/)
    expect(kinds.length).toBeGreaterThan(2)
    const given = kinds.reduce<Tree>(
      (tree, path, i) => withAt(tree, path, { labels: { kind: `kind-${i}` }, priorityClassName: `kind-${i}` }),
      everything(chart, { ...values, pods: ASKED }),
    )
    const pods = synthesize(chart, { name: 'mine', values: given as never }).flatMap(podsOf)
    const seen = new Set(
      pods.map(({ labels, spec }) => {
        expect(labels.team).toBe('calls')
        expect(spec.priorityClassName).toBe(labels.kind)
        return labels.kind
      }),
    )
    expect([...seen].sort()).toEqual(kinds.map((_, i) => `kind-${i}`).sort())
  })

  test('has requests and limits of every container as values', () => {
    const given = withResources(everything(chart, values), {
      requests: { cpu: '1', memory: '1Gi' },
      limits: { cpu: '1', memory: '1Gi' },
    })
    const containers = synthesize(chart, { name: 'mine', values: given as never })
      .flatMap(podsOf)
      .flatMap((pod) => pod.containers)
    for (const { name, resources } of containers)
      expect(resources, name).toEqual({ requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } })
  })

  test.skipIf(helm === undefined)(`renders the same by Helm${NEEDS_HELM}`, async () => {
    const given = {
      ...values,
      pods: ASKED,
      global: { imageRegistry: 'mirror.example.com/hub', imagePullSecrets: ['a', { name: 'b' }] },
    }
    const rendered = await helmTemplate(chartFolder(chart), 'mine', given)
    expect(byName(rendered)).toEqual(byName(synthesize(chart, { name: 'mine', namespace: 'here', values: given })))
  })

  test('takes images and pull secrets from what an umbrella chart shares', () => {
    const global = { imageRegistry: 'mirror.example.com/hub', imagePullSecrets: ['a', { name: 'b' }] }
    for (const { spec, containers } of all({ global }).flatMap(podsOf)) {
      expect(spec.imagePullSecrets).toEqual([{ name: 'a' }, { name: 'b' }, { name: 'registry' }])
      for (const { image } of containers)
        expect(image).toMatch(/^mirror\.example\.com\/hub\/[a-z0-9-]+(\/[a-z0-9_-]+)?:/)
    }
  })
})

const nameOf = ({ metadata }: Manifest) => (metadata as { readonly name: string }).name

function pathsOf(tree: Tree, named: RegExp, path: readonly string[] = []): (readonly string[])[] {
  return Object.entries(tree).flatMap(([name, part]) => {
    const here = [...path, name]
    if (named.test(name)) return [here]
    return isTree(part) ? pathsOf(part, named, here) : []
  })
}

function withResources(tree: Tree, resources: Json): Tree {
  return Object.fromEntries(
    Object.entries(tree).map(([name, part]) => {
      if (/resources$/i.test(name)) return [name, resources]
      return [name, isTree(part) ? withResources(part, resources) : part]
    }),
  )
}

function isTree(part: Json | undefined): part is Tree {
  return typeof part === 'object' && part !== null && !Array.isArray(part)
}
