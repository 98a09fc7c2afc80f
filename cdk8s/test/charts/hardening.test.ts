import { describe, expect, test } from 'vitest'
import { CHARTS } from '../../charts/charts.ts'
import { defaultsOf } from '../../values/define.ts'
import { type Manifest, synthesize } from '../../values/helm-chart.ts'
import type { Json } from '../../values/value.ts'
import { problems, RULES, type Rule } from '../support/hardening.ts'
import { switchedOn } from '../support/switched-on.ts'

const rules = Object.entries<Rule>(RULES)

/** Everything that a chart can render: all that is on by default, and all that is off. */
const everything = CHARTS.flatMap((chart): [string, readonly Manifest[]][] => {
  const switched = Object.entries(defaultsOf(chart.values)).map(([name, value]) => [name, switchedOn(value)])
  return [
    [`${chart.name} by default`, synthesize(chart)],
    [`${chart.name} with everything on`, synthesize(chart, { values: Object.fromEntries(switched) })],
  ]
})

describe.each(everything)('%s', (_, manifests) => {
  test.each(rules)('%s', (_, rule) => {
    expect(manifests.length).toBeGreaterThan(1)
    expect(problems(rule, manifests)).toEqual([])
  })
})

test.each(CHARTS.map((chart) => [chart.name, defaultsOf(chart.values)] as const))(
  '%s has no secret in its values',
  (_, values) => {
    const secrets = leaves(values).filter(
      ([name, value]) => /password|secret|token/i.test(name) && typeof value === 'string' && value !== '',
    )
    expect(secrets).toEqual([])
  },
)

/** For each rule, changes to the API's Deployment that it must notice. */
const BROKEN: { readonly [K in keyof typeof RULES]: readonly ((pod: Pod) => void)[] } = {
  'a pod keeps to Pod Security restricted': [
    ({ spec }) => delete spec.securityContext.runAsNonRoot,
    ({ spec }) => delete spec.securityContext.seccompProfile,
    ({ spec }) => Object.assign(spec, { hostNetwork: true }),
    ({ spec }) => spec.volumes.push({ name: 'node', hostPath: { path: '/' } }),
    ({ first }) => delete first.securityContext.allowPrivilegeEscalation,
    ({ first }) => Object.assign(first.securityContext, { privileged: true }),
    ({ first }) => Object.assign(first.securityContext.capabilities, { add: ['NET_ADMIN'] }),
    ({ first }) => Object.assign(first, { ports: [{ hostPort: 80, containerPort: 80 }] }),
  ],
  'a root filesystem is read-only': [({ first }) => delete first.securityContext.readOnlyRootFilesystem],
  'a container has requests and limits': [
    ({ first }) => delete first.resources.limits.memory,
    ({ first }) => delete first.resources.requests,
  ],
  'a token is mounted only with a service account of its own': [({ spec }) => delete spec.automountServiceAccountToken],
  'an image has a version': [
    ({ first }) => Object.assign(first, { image: 'hopwhistle/api' }),
    ({ first }) => Object.assign(first, { image: 'hopwhistle/api:latest' }),
  ],
  'no secret stands in an environment variable or argument': [
    ({ first }) => first.env.push({ name: 'DATABASE_PASSWORD', value: 'swordfish' }),
    ({ first }) => first.env.push({ name: 'CACHE', value: 'redis://:swordfish@redis:6379' }),
    ({ first }) => Object.assign(first, { args: ['--requirepass', 'swordfish'] }),
  ],
  'no secret stands in a ConfigMap': [
    ({ all }) =>
      all.push({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'a' },
        data: { url: 'postgres://a:swordfish@b' },
      }),
  ],
  'who a policy lets in is of a namespace that it names': [
    ({ all }) =>
      all.push({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'a' },
        spec: { ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { a: 'b' } } }] }] },
      }),
  ],
  'nothing reaches a pod, nor it anything, without a policy': [
    ({ all }) =>
      all.splice(
        all.findIndex(({ kind, metadata }) => kind === 'NetworkPolicy' && /deny/.test(name(metadata))),
        1,
      ),
  ],
}

test.each(
  Object.entries(BROKEN).flatMap(([rule, changes]) => changes.map((change) => [rule, String(change), change] as const)),
)('that %s is noticed: %s', (rule, _, change) => {
  const all: Manifest[] = structuredClone([...synthesize(CHARTS[0]!)])
  const api = all.find(({ kind, metadata }) => kind === 'Deployment' && /api/.test(name(metadata)))
  // biome-ignore lint/suspicious/noExplicitAny: it is taken apart here
  const { spec } = (api as any).spec.template
  change({ spec, first: spec.initContainers[0], all })
  if (rule.startsWith('nothing')) all.splice(0, all.length, ...all.filter(({ kind }) => kind !== 'NetworkPolicy'))
  expect(problems(RULES[rule as keyof typeof RULES], all)).not.toEqual([])
})

// biome-ignore lint/suspicious/noExplicitAny: a pod that is broken on purpose
type Pod = { readonly spec: any; readonly first: any; readonly all: Manifest[] }

const name = (metadata: Json | undefined) => (metadata as { readonly name: string }).name

function leaves(tree: { readonly [name: string]: Json }): readonly (readonly [string, Json])[] {
  return Object.entries(tree).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? leaves(value as { readonly [name: string]: Json })
      : [[name, value] as const],
  )
}
