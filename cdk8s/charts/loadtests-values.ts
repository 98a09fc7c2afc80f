/** The values of charts/hopwhistle-loadtests. */
import { DEMO_TENANT_ID } from '@hopwhistle/contract/demo.ts'
import { DEFAULT_PORT } from '@hopwhistle/contract/routes.ts'
import { PROFILE_NAMES, SCENARIO_NAMES, SCENARIOS, type ScenarioName } from '@hopwhistle/contract/scenarios.ts'
import type { k8s } from 'cdk8s-plus-27'
import { INITIALIZER_RESOURCES, RUNNER_RESOURCES, STARTER_RESOURCES } from '../../loadtests/kubernetes/test-run.ts'
import { flag, integer, list, oneOf, resources, section, text, textMap, type ValuesOf } from '../values/define.ts'
import { POD_FIELDS, podOf } from './pod-fields.ts'
import { LOADTEST_IMAGES } from './versions.ts'

const port = (fallback: number, note: string) => integer(fallback, note, { min: 1, max: 65535 })

/** The value that says whether a scenario runs: `callStateUpdates` for `call-state-updates`. */
export const flagOf = <S extends ScenarioName>(scenario: S): CamelCase<S> =>
  scenario.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()) as CamelCase<S>

type CamelCase<S extends string> = S extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : S

/** Only the first of the catalogue is on. */
const FLAGS = Object.fromEntries(
  SCENARIO_NAMES.map((scenario, i) => [flagOf(scenario), flag(i === 0, SCENARIOS[scenario].load)]),
) as Readonly<Record<CamelCase<ScenarioName>, ReturnType<typeof flag>>>

export const LOADTESTS = {
  ...POD_FIELDS,
  scenarios: section(
    'Which of them run, from the moment they are installed. One at a time: they slow each other down',
    FLAGS,
  ),
  parallelism: integer(2, 'k6 pods that share the load of a scenario', { min: 1, max: 1000 }),
  profile: oneOf(
    PROFILE_NAMES,
    'quick',
    'full has the stages of the baselines, quick the same peaks, soak holds them for two hours, breakpoint rises to four times that, smoke proves nothing',
  ),
  apiUrl: text(
    `http://hopwhistle-api.hopwhistle:${DEFAULT_PORT}`,
    'The API, as pods of this namespace reach it',
    /https?:\/\/\S+/,
  ),
  tenantId: text(DEMO_TENANT_ID, 'Whose calls they are; the demo data has this tenant'),
  apiKey: section('What the API is asked with', {
    existingSecret: text('', 'A Secret with the key under "key"; without it, the key of the demo data'),
  }),
  metricsUrl: text(
    '',
    'Where the runners also write their metrics: the remote write address of a Prometheus, .../api/v1/write',
    /(https?:\/\/\S+)?/,
  ),
  images: section('One version each, for every pod of a run', {
    k6: text(LOADTEST_IMAGES.k6, 'Runners, and the initializer that looks at the script before'),
    starter: text(LOADTEST_IMAGES.starter, 'What tells the runners to begin: curl and a shell'),
  }),
  runnerResources: resources('Of each runner. With less CPU than it needs it is throttled, and the run invalid', {
    requests: { ...RUNNER_RESOURCES.requests },
    limits: { ...RUNNER_RESOURCES.limits },
  }),
  runnerNodes: section('Which nodes runners may run on: on those of the platform they take what they measure', {
    nodeSelector: textMap({}, 'Labels of these nodes'),
    tolerations: list<k8s.Toleration>([], 'Taints of them that are no obstacle', { type: 'object' }),
  }),
  runnerPod: podOf('runners'),
  initializerResources: resources('Of the pod that looks at the script before', {
    requests: { ...INITIALIZER_RESOURCES.requests },
    limits: { ...INITIALIZER_RESOURCES.limits },
  }),
  initializerPod: podOf('that pod, which extraEnvFrom does not reach'),
  starterResources: resources('Of the pod that tells the runners to begin, one after the other', {
    requests: { ...STARTER_RESOURCES.requests },
    limits: { ...STARTER_RESOURCES.limits },
  }),
  starterPod: podOf('that pod'),
  networkPolicies: section('Nothing may talk to these pods, nor they to anything, but on the paths that they need', {
    enabled: flag(true, 'Needs a network that enforces them'),
    apiPort: port(DEFAULT_PORT, 'Where the pods of the API listen, or what else apiUrl leads to'),
    metricsPort: port(9090, 'The same of metricsUrl'),
    runnersFrom: list<k8s.NetworkPolicyPeer>(
      [
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'k6-operator-system' } },
          podSelector: { matchLabels: { 'control-plane': 'controller-manager' } },
        },
      ],
      'Who may talk to the runners beside the starter: k6-operator, where it is installed by default. Where the network does not let the API server reach every pod, its addresses belong here too, or bench shows no progress',
      { type: 'object' },
    ),
  }),
}

export type LoadtestsValues = ValuesOf<typeof LOADTESTS>
