/** What every object of every chart has to keep to. */
import { OPERATOR_LABEL } from '../../../loadtests/kubernetes/test-run.ts'
import type { Manifest } from '../../values/helm-chart.ts'
import type { Json } from '../../values/value.ts'

type Tree = { readonly [key: string]: Json | undefined }
type Container = Tree & { readonly name: string; readonly image: string }
type Pod = {
  readonly labels: Tree
  readonly annotations: Tree
  readonly spec: Tree
  readonly containers: readonly Container[]
}

/** A rule, and what it says about each object that breaks it. */
export type Rule = (manifest: Manifest, all: readonly Manifest[]) => readonly string[]

export const RULES = {
  'a pod keeps to Pod Security restricted': ofPods(({ spec, containers }) => [
    ...unless(at(spec, 'securityContext', 'runAsNonRoot') === true, 'runAsNonRoot is not true'),
    ...unless(
      at(spec, 'securityContext', 'seccompProfile', 'type') === 'RuntimeDefault',
      'seccomp is not RuntimeDefault',
    ),
    ...['hostNetwork', 'hostPID', 'hostIPC'].filter((name) => spec[name] === true).map((name) => `${name} is on`),
    ...list(spec.volumes).flatMap((volume) =>
      unless(!('hostPath' in (volume as Tree)), 'a volume is a path of the node'),
    ),
    ...containers.flatMap((container) => {
      const context = at(container, 'securityContext')
      return named(container, [
        ...unless(at(context, 'allowPrivilegeEscalation') === false, 'may escalate its privileges'),
        ...unless(at(context, 'privileged') !== true, 'is privileged'),
        ...unless(same(at(context, 'capabilities'), { drop: ['ALL'] }), 'does not drop all capabilities'),
        ...unless(
          list(container.ports).every((port) => !('hostPort' in (port as Tree))),
          'has a port of the node',
        ),
      ])
    }),
  ]),

  'a root filesystem is read-only': ofContainers((container) =>
    unless(at(container, 'securityContext', 'readOnlyRootFilesystem') === true, 'can write to its root'),
  ),

  'a container has requests and limits': ofContainers((container) =>
    ['requests', 'limits'].flatMap((kind) =>
      ['cpu', 'memory'].flatMap((of) =>
        unless(at(container, 'resources', kind, of) !== undefined, `has no ${kind}.${of}`),
      ),
    ),
  ),

  'a token is mounted only with a service account of its own': ofPods(({ spec }) =>
    unless(spec.automountServiceAccountToken === false || spec.serviceAccountName !== undefined, 'mounts a token'),
  ),

  'an image has a version': ofContainers(({ image }) =>
    unless(/(:v?\d[\w.-]*|@sha256:[0-9a-f]{64})$/.test(image), `${image} is no version`),
  ),

  'no secret stands in an environment variable or argument': ofContainers((container) => [
    ...list(container.env).flatMap((variable) => {
      const { name, value } = variable as { readonly name: string; readonly value?: string }
      const secret = value !== undefined && (/PASSWORD|SECRET|TOKEN|_AUTH$|_PASS$/.test(name) || hasPassword(value))
      return unless(!secret, `${name} has a secret in it`)
    }),
    ...[...list(container.args), ...list(container.command)].flatMap((argument) =>
      unless(
        !hasPassword(String(argument)) && !/requirepass|password=./i.test(String(argument)),
        'has a secret as an argument',
      ),
    ),
  ]),

  'no secret stands in a ConfigMap': ({ kind, data }) =>
    kind !== 'ConfigMap'
      ? []
      : Object.values(data ?? {}).flatMap((text) => unless(!hasPassword(String(text)), 'has a secret')),

  'who a policy lets in is of a namespace that it names': ({ kind, spec }) => {
    if (kind !== 'NetworkPolicy') return []
    const rules = ['ingress', 'egress'].flatMap((direction) => list(at(spec as Tree, direction)))
    const peers = rules.flatMap((rule) => [...list((rule as Tree).from), ...list((rule as Tree).to)])
    return peers.flatMap((peer) =>
      unless(!same((peer as Tree).namespaceSelector, {}), 'lets in pods of every namespace that have a label'),
    )
  },

  'nothing reaches a pod, nor it anything, without a policy': ofPods(({ labels }, all) => {
    const covered = all.some(({ kind, spec }) => {
      const { podSelector, policyTypes } = (spec ?? {}) as { podSelector?: Tree; policyTypes?: readonly string[] }
      return (
        kind === 'NetworkPolicy' &&
        same(policyTypes as Json, ['Ingress', 'Egress']) &&
        Object.entries((podSelector?.matchLabels ?? {}) as Tree).every(([name, value]) => labels[name] === value)
      )
    })
    return unless(covered, 'no policy denies by default')
  }),
} satisfies Record<string, Rule>

/** What breaks a rule, with the object that does. */
export function problems(rule: Rule, all: readonly Manifest[]): readonly string[] {
  return all.flatMap((manifest) =>
    rule(manifest, all).map((problem) => `${manifest.kind} ${at(manifest, 'metadata', 'name')}: ${problem}`),
  )
}

function ofPods(check: (pod: Pod, all: readonly Manifest[]) => readonly string[]): Rule {
  return (manifest, all) => podsOf(manifest).flatMap((pod) => check(pod, all))
}

function ofContainers(check: (container: Container) => readonly string[]): Rule {
  return ofPods(({ containers }) => containers.flatMap((container) => named(container, check(container))))
}

export function podsOf({ kind, metadata, spec }: Manifest): readonly Pod[] {
  if (kind === 'TestRun') {
    const operators = { [OPERATOR_LABEL]: at(metadata, 'name') }
    return TEST_RUN_PODS.map((name) => podOfTestRun(name, operators, at(spec, name) as Tree | undefined))
  }
  if (!['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'].includes(kind)) return []
  const template = at(spec, ...(kind === 'CronJob' ? ['jobTemplate', 'spec'] : []), 'template') as Tree
  const of = template.spec as Tree
  const containers = [...list(of.initContainers), ...list(of.containers)] as unknown as readonly Container[]
  const { labels = {}, annotations = {} } = template.metadata as { readonly [name: string]: Tree }
  return [{ labels, annotations, spec: of, containers }]
}

/** k6-operator makes pods of one container each from these. */
const TEST_RUN_PODS = ['initializer', 'starter', 'runner']

function podOfTestRun(name: string, operators: Tree, spec: Tree = {}): Pod {
  const { image, env, envFrom, resources, containerSecurityContext: securityContext, metadata } = spec
  const automountServiceAccountToken = spec.automountServiceAccountToken === 'false' ? false : undefined
  const container = { name, image: String(image), env, envFrom, resources, securityContext }
  const labels = { ...((at(metadata, 'labels') ?? {}) as Tree), ...operators }
  const annotations = (at(metadata, 'annotations') ?? {}) as Tree
  return { labels, annotations, spec: { ...spec, automountServiceAccountToken }, containers: [container] }
}

/** `scheme://user:password@`, unless the password is a variable. */
const hasPassword = (text: string) => /\w:\/\/[^\s/@]*:(?!\$\()[^\s/@]+@/.test(text)

const unless = (holds: boolean, problem: string): readonly string[] => (holds ? [] : [problem])
const named = ({ name }: Container, found: readonly string[]) => found.map((problem) => `${name} ${problem}`)
const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : [])
const same = (a: Json | undefined, b: Json) => JSON.stringify(a) === JSON.stringify(b)

function at(tree: unknown, ...path: readonly string[]): Json | undefined {
  return path.reduce<unknown>((node, key) => (node as Tree | undefined)?.[key], tree) as Json | undefined
}
