import type { Construct } from 'constructs'
import { amount, both, claimed, not, orElse, same } from '../values/compute.ts'
import { Refusal } from '../values/refusal.ts'
import type { Value } from '../values/value.ts'
import type { Component } from './component.ts'

/**
 * Kubernetes refuses another size of a StatefulSet's volume, when an upgrade has changed other objects already. Helm is
 * refused before that; `kubectl apply` and Argo CD render without looking into the cluster.
 */
export function refuseOtherStorage(
  scope: Construct,
  { name }: Component,
  storage: { readonly path: string; readonly value: Value<string> },
): void {
  const before = claimed(name)
  new Refusal(
    scope,
    'other-storage',
    both(not(same(before, '')), not(same(amount(orElse(before, storage.value)), amount(storage.value)))),
    `${storage.path} is ${storage.value}, and the volume of ${name} was made with ${before}. An upgrade cannot change that: nothing was changed. Set ${storage.path}=${before} again; to grow the volume see docs/kubernetes.md, Grow a volume.`,
  )
}
