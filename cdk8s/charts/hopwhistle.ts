/** The chart charts/hopwhistle: the platform, with or without databases of its own. */
import { readFileSync } from 'node:fs'
import { HOPWHISTLE } from '../chart-values/hopwhistle-values.ts'
import { VERSION } from '../chart-values/versions.ts'
import { API, Api } from '../constructs/api.ts'
import { ApiJob } from '../constructs/api-job.ts'
import { ApiScaling } from '../constructs/api-scaling.ts'
import { component } from '../constructs/component.ts'
import { ConnectionBudget } from '../constructs/connection-budget.ts'
import { connections } from '../constructs/connections.ts'
import { Credentials } from '../constructs/credentials.ts'
import { MissingSecrets } from '../constructs/missing-secrets.ts'
import { NetworkPolicies } from '../constructs/network-policies.ts'
import { Postgres } from '../constructs/postgres.ts'
import { Redis } from '../constructs/redis.ts'
import { waitForSchema } from '../constructs/wait-for-schema.ts'
import { not } from '../values/compute.ts'
import type { HelmChart } from '../values/helm-chart.ts'
import { Conditional, when } from '../values/when.ts'

/** What Helm says at the end. */
const NOTES = `The API is the Service ${API.name}, port 3001. From this machine:

  kubectl --namespace {{ .Release.Namespace }} port-forward service/${API.name} 3001

Wait until all of it is ready:

  kubectl --namespace {{ .Release.Namespace }} rollout status deployment/${API.name}
`

export const hopwhistle: HelmChart<typeof HOPWHISTLE> = {
  name: 'hopwhistle',
  version: VERSION,
  appVersion: VERSION,
  description: 'A call platform that knows its own limits',
  title: 'Values of the chart hopwhistle. Written by npm run charts; values.schema.json says what each may be.',
  values: HOPWHISTLE,
  notes: NOTES,
  files: { 'README.md': readFileSync(new URL('./hopwhistle.md', import.meta.url), 'utf8') },
  build(chart, values) {
    const credentials = new Credentials(chart, values)
    const environment = connections(values, credentials)
    const migrations = component('migrate', 'object')
    const demo = component('demo', 'object')

    new MissingSecrets(chart, values)
    new ConnectionBudget(chart, values, environment.replicated)
    new Postgres(new Conditional(chart, 'own-postgres', not(values.postgres.external.enabled)), values, credentials)
    new Redis(new Conditional(chart, 'own-redis', not(values.redis.external.enabled)), values, credentials)
    new ApiJob(chart, 'migrations', {
      component: migrations,
      values,
      of: values.migrations,
      command: ['node', 'api/src/commands/db-migrate.ts', '--wait'],
      env: environment.migration,
    })
    // Also without demo data: the key that everybody knows must not outlive them.
    new ApiJob(chart, 'demo', {
      component: demo,
      values,
      of: values.demo,
      command: ['node', 'api/src/commands/db-seed-demo.ts', when(not(values.demo.enabled), '--off')],
      env: environment.migration,
      initContainers: (pod) => [waitForSchema(values, environment.writer, pod)],
    })
    new Api(chart, values, environment)
    new ApiScaling(chart, values)
    new NetworkPolicies(chart, values, [migrations, demo])
  },
}
