import { Construct } from 'constructs'
import type { HopwhistleValues } from '../chart-values/hopwhistle-values.ts'
import { choose, empty } from '../values/compute.ts'
import type { Value } from '../values/value.ts'
import { Conditional } from '../values/when.ts'
import { ApiJob } from './api-job.ts'
import { component } from './component.ts'
import { grant, serviceAccount } from './rights.ts'
import { Scripts } from './scripts.ts'

const KEYS = [
  'owner-password',
  'api-password',
  'replication-password',
  'monitor-password',
  'redis-password',
  'grafana-password',
] as const
export type CredentialKey = (typeof KEYS)[number]

export const CREDENTIALS = component('credentials', 'object')

/**
 * The Secret with all passwords: the user's, or one that a Job makes in the cluster. Pods wait for it.
 *
 * It belongs to no release, and outlives it like the volumes whose data it opens.
 */
export class Credentials extends Construct {
  readonly #secret: Value<string>

  constructor(scope: Construct, values: HopwhistleValues) {
    super(scope, 'credentials')
    const { name } = CREDENTIALS
    const { existingSecret } = values.credentials
    this.#secret = choose(empty(existingSecret), name, existingSecret)
    const made = new Conditional(this, 'made', empty(existingSecret))
    const secrets = { apiGroups: [''], resources: ['secrets'] }
    serviceAccount(made, CREDENTIALS)
    grant(made, CREDENTIALS, [
      { ...secrets, verbs: ['get', 'patch'], resourceNames: [name] },
      // What is created has no name yet that a rule could say.
      { ...secrets, verbs: ['create'] },
    ])
    new ApiJob(made, 'make', {
      component: CREDENTIALS,
      values,
      of: values.credentials,
      command: ['node', '/scripts/make-credentials.ts', name, ...KEYS],
      env: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt' }],
      scripts: new Scripts(made, CREDENTIALS, ['make-credentials.ts']),
      serviceAccount: name,
    })
  }

  /** Files with some of the passwords, which Kubernetes writes again when the Secret changes. */
  files(...keys: readonly CredentialKey[]) {
    const items = keys.map((key) => ({ key, path: key }))
    return {
      env: { name: 'CREDENTIALS', value: '/credentials' },
      volume: { name: 'credentials', secret: { secretName: this.#secret, items } },
      mount: { name: 'credentials', mountPath: '/credentials', readOnly: true },
    }
  }

  /** An environment variable with one of the passwords. */
  variable(name: string, key: CredentialKey) {
    return { name, valueFrom: { secretKeyRef: { name: this.#secret, key } } }
  }
}
