import { Construct } from 'constructs'
import type { HopwhistleValues } from '../chart-values/hopwhistle-values.ts'
import { both, empty } from '../values/compute.ts'
import { Refusal } from '../values/refusal.ts'

/** An external server is reached by a URL, which has a password in it: it comes from a Secret. */
export class MissingSecrets extends Construct {
  constructor(scope: Construct, values: HopwhistleValues) {
    super(scope, 'missing-secrets')
    for (const name of ['postgres', 'redis'] as const) {
      const { enabled, existingSecret } = values[name].external
      new Refusal(
        this,
        name,
        both(enabled, empty(existingSecret)),
        `${name}.external.enabled is true: name the Secret with its URLs in ${name}.external.existingSecret.`,
      )
    }
  }
}
