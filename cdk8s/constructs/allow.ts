import { k8s } from 'cdk8s-plus-27'
import type { Construct } from 'constructs'
import { kubeObject, type Templated } from '../values/kube-object.ts'
import type { Value } from '../values/value.ts'
import { type Component, partOf } from './component.ts'

type Rules = {
  /** @default says nothing of it */
  readonly ingress?: Templated<readonly k8s.NetworkPolicyIngressRule[]>
  /** @default says nothing of it */
  readonly egress?: Templated<readonly k8s.NetworkPolicyEgressRule[]>
}

/** Opens paths from and to the pods of a component; the direction of which nothing is said stays closed. */
export function allow(scope: Construct, component: Component, { ingress, egress }: Rules): void {
  const { name, selector, labels } = component
  kubeObject(scope, `allow-${partOf(component)}`, k8s.KubeNetworkPolicy, {
    metadata: { name, labels },
    spec: {
      podSelector: { matchLabels: selector },
      policyTypes: [...(ingress === undefined ? [] : ['Ingress']), ...(egress === undefined ? [] : ['Egress'])],
      ...(ingress === undefined ? {} : { ingress }),
      ...(egress === undefined ? {} : { egress }),
    },
  })
}

/** The pods of a component in this namespace. */
export const pods = ({ selector }: Component) => ({ podSelector: { matchLabels: selector } })

export const tcp = (...ports: readonly (number | Value<number>)[]) => ports.map((port) => ({ protocol: 'TCP', port }))

/** Kubernetes, as a Service and behind it. */
export const API_SERVER = [443, 6443]

/** Names are asked everywhere, for where the cluster's DNS runs differs. */
export const DNS = {
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
}
