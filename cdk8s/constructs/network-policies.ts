import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { HopwhistleValues } from '../chart-values/hopwhistle-values.ts'
import { both, empty, not } from '../values/compute.ts'
import { RELEASE } from '../values/define.ts'
import { kubeObject } from '../values/kube-object.ts'
import type { Value } from '../values/value.ts'
import { Conditional, when } from '../values/when.ts'
import { API_SERVER, allow, DNS, pods, tcp } from './allow.ts'
import { ADMIN_PORT, API, API_PORT } from './api.ts'
import type { Component } from './component.ts'
import { CREDENTIALS } from './credentials.ts'
import { given } from './given.ts'
import { BACKUP, PRIMARY, REPLICA } from './postgres-names.ts'
import { POSTGRES_PORT } from './postgres-server.ts'
import { REDIS, REDIS_PORT } from './redis.ts'

/** Pods of hopwhistle-monitoring, and only where it is: anybody may give a pod of their own namespace that label. */
function monitoringPods(namespace: Value<string>) {
  const podSelector = { matchLabels: { 'app.kubernetes.io/part-of': 'hopwhistle-monitoring' } }
  const elsewhere = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } }, podSelector }
  // Without a namespaceSelector, a peer is of the policy's own namespace.
  return when(given(namespace), elsewhere, { podSelector })
}

/** Denies everything, then allows the paths that are needed, each from both of its ends. */
export class NetworkPolicies extends Construct {
  constructor(scope: Construct, values: HopwhistleValues, jobs: readonly Component[]) {
    super(scope, 'network-policies')
    const { postgres, redis, networkPolicies } = values
    const enabled = new Conditional(this, 'enabled', networkPolicies.enabled)
    const monitoring = monitoringPods(networkPolicies.monitoringNamespace)
    const instance = { 'app.kubernetes.io/name': 'hopwhistle', 'app.kubernetes.io/instance': `${RELEASE.name}` }
    kubeObject(enabled, 'deny', k8s.KubeNetworkPolicy, {
      metadata: { name: `${RELEASE.name}-deny`, labels: API.labels },
      spec: { podSelector: { matchLabels: instance }, policyTypes: ['Ingress', 'Egress'] },
    })

    // A database elsewhere may have any address.
    const toPostgres = when(
      postgres.external.enabled,
      { ports: tcp(postgres.external.port) },
      { to: [pods(PRIMARY), pods(REPLICA)], ports: tcp(POSTGRES_PORT) },
    )
    const toRedis = when(
      redis.external.enabled,
      { ports: tcp(redis.external.port) },
      { to: [pods(REDIS)], ports: tcp(REDIS_PORT) },
    )
    allow(enabled, API, {
      ingress: [
        { from: when(given(networkPolicies.apiFrom), networkPolicies.apiFrom), ports: tcp(API_PORT) },
        { from: [monitoring], ports: tcp(ADMIN_PORT) },
        when(given(networkPolicies.monitoringFrom), { from: networkPolicies.monitoringFrom, ports: tcp(ADMIN_PORT) }),
      ],
      egress: [
        DNS,
        toPostgres,
        toRedis,
        when(given(networkPolicies.webhookPorts), { ports: networkPolicies.webhookPorts }),
      ],
    })
    for (const job of jobs) allow(enabled, job, { egress: [DNS, toPostgres] })
    allow(new Conditional(enabled, 'made', empty(values.credentials.existingSecret)), CREDENTIALS, {
      egress: [{ ports: tcp(...API_SERVER) }],
    })
    allow(enabled, PRIMARY, {
      ingress: [{ from: [...[API, REPLICA, BACKUP, ...jobs].map(pods), monitoring], ports: tcp(POSTGRES_PORT) }],
      // It asks whether the replica has data, and takes it over when it has lost its own.
      egress: [DNS, { to: [pods(REPLICA)], ports: tcp(POSTGRES_PORT) }],
    })
    allow(enabled, REPLICA, {
      ingress: [{ from: [pods(API), pods(PRIMARY), monitoring], ports: tcp(POSTGRES_PORT) }],
      egress: [DNS, { to: [pods(PRIMARY)], ports: tcp(POSTGRES_PORT) }],
    })
    const backups = new Conditional(enabled, 'backups', both(postgres.backup.enabled, not(postgres.external.enabled)))
    allow(backups, BACKUP, { egress: [DNS, { to: [pods(PRIMARY)], ports: tcp(POSTGRES_PORT) }] })
    const toS3 = new Conditional(backups, 's3', given(postgres.backup.s3.bucket))
    for (const each of [PRIMARY, BACKUP]) {
      const name = `${each.name}-s3`
      allow(toS3, { ...each, name }, { egress: [DNS, { ports: tcp(postgres.backup.s3.port) }] })
    }
    allow(enabled, REDIS, { ingress: [{ from: [pods(API), monitoring], ports: tcp(REDIS_PORT) }] })
  }
}
