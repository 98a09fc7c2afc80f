/** What a cluster may require of pods, independent of what they do: the same values in every chart. */
import type { k8s } from 'cdk8s-plus-27'
import {
  annotations,
  type Leaf,
  labels,
  list,
  mapping,
  name,
  oneOf,
  overrides,
  section,
  text,
  type ValuesOf,
} from '../values/define.ts'
import type { Templated } from '../values/kube-object.ts'

const REFERENCE = {
  type: 'object',
  properties: { name: { type: 'string' } },
  required: ['name'],
  additionalProperties: false,
} as const

const SELECTOR = {
  type: 'object',
  properties: { matchLabels: { type: 'object' }, matchExpressions: { type: 'array', items: { type: 'object' } } },
  additionalProperties: false,
} as const

export const TOLERATION = {
  type: 'object',
  properties: {
    key: { type: 'string' },
    operator: { enum: ['Exists', 'Equal'] },
    value: { type: 'string' },
    effect: { enum: ['', 'NoSchedule', 'PreferNoSchedule', 'NoExecute'] },
    tolerationSeconds: { type: 'integer' },
  },
  additionalProperties: false,
  // Without a key it is about all taints, and with Exists about all values.
  anyOf: [
    { properties: { key: { minLength: 1 } }, required: ['key'] },
    { properties: { operator: { const: 'Exists' } }, required: ['operator'] },
  ],
} as const

const SPREAD = {
  type: 'object',
  properties: {
    maxSkew: { type: 'integer', minimum: 1 },
    topologyKey: { type: 'string', minLength: 1 },
    whenUnsatisfiable: { enum: ['DoNotSchedule', 'ScheduleAnyway'] },
    labelSelector: SELECTOR,
    matchLabelKeys: { type: 'array', items: { type: 'string' } },
    minDomains: { type: 'integer', minimum: 1 },
    nodeAffinityPolicy: { enum: ['Honor', 'Ignore'] },
    nodeTaintsPolicy: { enum: ['Honor', 'Ignore'] },
  },
  required: ['maxSkew', 'topologyKey', 'whenUnsatisfiable'],
  additionalProperties: false,
} as const

const AFFINITY = {
  properties: Object.fromEntries(
    ['nodeAffinity', 'podAffinity', 'podAntiAffinity'].map((kind) => [
      kind,
      {
        type: 'object',
        properties: {
          requiredDuringSchedulingIgnoredDuringExecution: { type: ['object', 'array'] },
          preferredDuringSchedulingIgnoredDuringExecution: { type: 'array', items: { type: 'object' } },
        },
        additionalProperties: false,
      },
    ]),
  ),
  additionalProperties: false,
} as const

/** Who may connect, or be connected to. */
export const NETWORK_PEER = {
  type: 'object',
  properties: { podSelector: SELECTOR, namespaceSelector: SELECTOR, ipBlock: { type: 'object', required: ['cidr'] } },
  minProperties: 1,
  additionalProperties: false,
} as const

const ASKED = {
  labels: labels('More labels'),
  annotations: annotations('Annotations, such as those of a mesh'),
  serviceAccountName: name(
    'Name of an existing service account, whose token pods do not get; empty: the default of the namespace',
  ),
  priorityClassName: name('Priority class'),
  nodeSelector: labels('Labels of the nodes that pods may run on'),
  tolerations: list<k8s.Toleration>([], 'Taints that pods tolerate', TOLERATION),
  affinity: mapping<k8s.Affinity>('Affinity rules', AFFINITY),
  topologySpreadConstraints: list<k8s.TopologySpreadConstraint>(
    [],
    'Topology spread constraints; empty: pods of the API are spread over zones and nodes if possible',
    SPREAD,
  ),
  extraEnv: list<k8s.EnvVar>(
    [],
    'More environment variables for every container, also from Secrets; none that the chart sets itself',
    {
      type: 'object',
      // Any printable character but =
      properties: { name: { type: 'string', pattern: '^[ -<>-~]+$' } },
      required: ['name'],
    },
  ),
  extraEnvFrom: list<k8s.EnvFromSource>([], 'Secrets and ConfigMaps whose entries become environment variables', {
    type: 'object',
  }),
}

/** For all pods of a chart. */
export const POD_FIELDS = {
  global: section(
    'Values that a parent chart shares with its subcharts',
    {
      imageRegistry: text('', 'Registry from which every image is pulled, instead of its own'),
      imagePullSecrets: list<k8s.LocalObjectReference | string>([], 'Names of the Secrets for that registry', {
        anyOf: [{ type: 'string' }, REFERENCE],
      }),
    },
    'open',
  ),
  imagePullPolicy: oneOf(['IfNotPresent', 'Always', 'Never'], 'IfNotPresent', 'When images are pulled'),
  imagePullSecrets: list<k8s.LocalObjectReference>(
    [],
    'Secrets for registries that need a login, such as {name: registry}',
    REFERENCE,
  ),
  podLabels: labels('More labels for every pod'),
  pods: section('What your cluster requires of every pod', ASKED),
}

/** For pods of one kind; what is given here wins, or is added, over `pods`. */
export const podOf = (whose: string): Leaf<PodOfKind> =>
  overrides(`The fields of pods, only for ${whose}: ${Object.keys(ASKED).join(', ')}`, ASKED)

export type PodOfKind = { readonly [K in keyof typeof ASKED]?: Templated<unknown> }
export type PodValues = ValuesOf<typeof POD_FIELDS>
