/** The values of charts/hopwhistle-loadtests. */
import { DEMO_TENANT_ID } from '@hopwhistle/contract/demo.ts'
import { DEFAULT_PORT } from '@hopwhistle/contract/routes.ts'
import { RUNNER_RESOURCES } from '../../loadtests/kubernetes/test-run.ts'
import { PROFILE_NAMES } from '../../loadtests/scenarios/lib/profiles.ts'
import { flag, integer, oneOf, resources, section, text } from '../values/define.ts'
import { LOADTEST_IMAGES } from './versions.ts'

export const LOADTESTS = {
  scenarios: section(
    'Which of them run, from the moment they are installed. One at a time: they slow each other down',
    {
      callStateUpdates: flag(true, '500 call events a second'),
      reportingEndpoints: flag(false, '100 reports a second'),
      redisPubsub: flag(false, '500 messages a second to 200 WebSockets'),
    },
  ),
  parallelism: integer(2, 'k6 pods that share the load of a scenario', { min: 1, max: 1000 }),
  profile: oneOf(
    PROFILE_NAMES,
    'quick',
    'full has the stages of the baselines, quick the same peaks, smoke proves nothing',
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
}
