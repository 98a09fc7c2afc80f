/** What a cluster may ask of pods, beside what they are for: the same values in every chart. */
import type { k8s } from 'cdk8s-plus-27'
import {
  annotations,
  type Leaf,
  labels,
  list,
  mapping,
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

const ASKED = {
  labels: labels('More labels'),
  annotations: annotations('Annotations, such as those of a mesh'),
  serviceAccountName: text(
    '',
    'A service account of yours, of which pods get no token; empty: the namespace’s default',
  ),
  priorityClassName: text('', 'Their priority class'),
  nodeSelector: labels('Labels of the nodes that they may run on'),
  tolerations: list<k8s.Toleration>([], 'Taints of nodes that are no obstacle', { type: 'object' }),
  affinity: mapping<k8s.Affinity>('Which nodes and neighbours they want'),
  topologySpreadConstraints: list<k8s.TopologySpreadConstraint>(
    [],
    'How they are spread; empty: API pods over zones and nodes where that is possible',
    { type: 'object' },
  ),
  extraEnv: list<k8s.EnvVar>(
    [],
    'More environment variables of every container, also from Secrets, of names that it has not',
    {
      type: 'object',
      properties: { name: { type: 'string' } },
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
    'What an umbrella chart shares with its parts',
    {
      imageRegistry: text('', 'Registry that every image is fetched from, in place of its own'),
      imagePullSecrets: list<k8s.LocalObjectReference | string>([], 'Secrets for it, by name', {
        anyOf: [{ type: 'string' }, REFERENCE],
      }),
    },
    'open',
  ),
  imagePullPolicy: oneOf(['IfNotPresent', 'Always', 'Never'], 'IfNotPresent', 'When images are fetched'),
  imagePullSecrets: list<k8s.LocalObjectReference>(
    [],
    'Secrets for a registry that asks for them, such as {name: registry}',
    REFERENCE,
  ),
  podLabels: labels('More labels for every pod'),
  pods: section('What your cluster asks of every pod', ASKED),
}

/** For pods of one kind; what is given here wins, or is added, over `pods`. */
export const podOf = (whose: string): Leaf<PodOfKind> =>
  overrides(`As pods, for ${whose} alone: ${Object.keys(ASKED).join(', ')}`, ASKED)

export type PodOfKind = { readonly [K in keyof typeof ASKED]?: Templated<unknown> }
export type PodValues = ValuesOf<typeof POD_FIELDS>
