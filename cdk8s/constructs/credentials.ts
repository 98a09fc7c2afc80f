import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { HopwhistleValues } from '../charts/hopwhistle-values.ts'
import { choose, empty, generated } from '../values/compute.ts'
import { kubeObject } from '../values/kube-object.ts'
import type { Value } from '../values/value.ts'
import { Conditional } from '../values/when.ts'
import { component } from './component.ts'

const KEYS = ['owner-password', 'api-password', 'replication-password', 'monitor-password', 'redis-password'] as const
export type CredentialKey = (typeof KEYS)[number]

/**
 * The Secret with all passwords: the user's, or one of ours, made at the first installation.
 *
 * Ours outlives the release, like the volumes whose data it opens.
 */
export class Credentials extends Construct {
  readonly #secret: Value<string>

  constructor(scope: Construct, values: HopwhistleValues) {
    super(scope, 'credentials')
    const { name, labels } = component('credentials', 'object')
    const { existingSecret } = values.credentials
    this.#secret = choose(empty(existingSecret), name, existingSecret)
    const ours = new Conditional(this, 'generated', empty(existingSecret))
    kubeObject(ours, 'secret', k8s.KubeSecret, {
      metadata: { name, labels, annotations: { 'helm.sh/resource-policy': 'keep' } },
      type: 'Opaque',
      data: Object.fromEntries(KEYS.map((key) => [key, generated(name, key)])),
    })
  }

  /** An environment variable with one of the passwords. */
  variable(name: string, key: CredentialKey) {
    return { name, valueFrom: { secretKeyRef: { name: this.#secret, key } } }
  }
}
