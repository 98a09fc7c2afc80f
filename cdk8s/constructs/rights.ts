import { k8s } from 'cdk8s-plus-27'
import type { Construct } from 'constructs'
import { RELEASE } from '../values/define.ts'
import { kubeObject, type Templated } from '../values/kube-object.ts'
import type { Value } from '../values/value.ts'
import type { Component } from './component.ts'

type Named = Pick<Component, 'name' | 'labels'>

/** A service account. Only pods that ask for its token get it. */
export function serviceAccount(scope: Construct, { name, labels }: Named): void {
  kubeObject(scope, 'account', k8s.KubeServiceAccount, {
    metadata: { name, labels },
    automountServiceAccountToken: false,
  })
}

/**
 * Gives rights to a service account of this namespace, by a Role.
 *
 * @param account the one of the Role's name if absent
 * @param namespace where it has these rights; this one if absent
 */
export function grant(
  scope: Construct,
  { name, labels }: Named,
  rules: Templated<readonly k8s.PolicyRule[]>,
  { account = name, namespace }: { readonly account?: string; readonly namespace?: Value<string> } = {},
): void {
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }), labels }
  kubeObject(scope, 'role', k8s.KubeRole, { metadata, rules })
  kubeObject(scope, 'binding', k8s.KubeRoleBinding, {
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: `${RELEASE.namespace}` }],
  })
}
