import { Construct } from 'constructs'
import type { Value } from './value.ts'

/** Values that make no sense together: the chart then renders nothing and says why. The message may quote values. */
export class Refusal extends Construct {
  readonly condition: Value<boolean>
  readonly message: string

  constructor(scope: Construct, id: string, condition: Value<boolean>, message: string) {
    super(scope, id)
    this.condition = condition
    this.message = message
  }
}

/** Thrown by the plain synthesis where Helm would refuse. */
export class Refused extends Error {
  override readonly name = 'Refused'
}
