import type { Construct } from 'constructs'
import { both, greater, same } from '../values/compute.ts'
import { Refusal } from '../values/refusal.ts'
import type { Value } from '../values/value.ts'

type Given<T> = { readonly path: string; readonly value: Value<T> }

/** A Service that only the cluster reaches has no port on its nodes. */
export function refuseNodePort(scope: Construct, type: Given<string>, port: Given<number>): void {
  new Refusal(
    scope,
    'node-port',
    both(greater(port.value, 0), same(type.value, 'ClusterIP')),
    `${port.path} is ${port.value} and ${type.path} is ClusterIP: a port of every node needs NodePort or LoadBalancer.`,
  )
}
