import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { HopwhistleValues } from '../charts/hopwhistle-values.ts'
import { empty, merged, not } from '../values/compute.ts'
import { kubeObject, type Templated } from '../values/kube-object.ts'
import { when } from '../values/when.ts'
import type { Component } from './component.ts'
import { postgresOptions } from './postgres-settings.ts'
import { RESTRICTED_CONTAINER, restrictedPod, scratch } from './restricted.ts'
import { Scripts } from './scripts.ts'

export const POSTGRES_PORT = 5432
const PGDATA = '/data/postgres'

export type PostgresServerProps = {
  readonly component: Component
  readonly values: HopwhistleValues
  /** The script of cdk8s/scripts that prepares the data and becomes the server. */
  readonly start: string
  /** More scripts that the probes run. */
  readonly scripts?: readonly string[]
  readonly env: readonly Templated<k8s.EnvVar>[]
  readonly resources: Templated<k8s.ResourceRequirements>
  /** Without one, a server that runs is alive. */
  readonly livenessProbe?: Templated<k8s.Probe>
}

/** One Postgres with a volume of its own, as a StatefulSet of one pod, and the Service that leads to it. */
export class PostgresServer extends Construct {
  constructor(scope: Construct, id: string, props: PostgresServerProps) {
    super(scope, id)
    const { values, start } = props
    const { postgres } = values
    const { name, selector, labels } = props.component
    const scripts = new Scripts(this, props.component, [start, 'pg_hba.conf', ...(props.scripts ?? [])])
    const temporary = scratch('tmp', '/tmp', '256Mi')
    const memory = scratch('shm', '/dev/shm', '256Mi', 'Memory')
    const ready = { exec: { command: ['pg_isready', '--quiet', '--host=127.0.0.1', '--username=postgres'] } }

    kubeObject(this, 'service', k8s.KubeService, {
      metadata: { name, labels },
      spec: { selector, ports: [{ name: 'postgres', port: POSTGRES_PORT, targetPort: 'postgres' }] },
    })
    kubeObject(this, 'stateful-set', k8s.KubeStatefulSet, {
      metadata: { name, labels },
      spec: {
        serviceName: name,
        replicas: 1,
        selector: { matchLabels: selector },
        template: {
          metadata: { labels: merged(values.podLabels, labels), annotations: { 'checksum/scripts': scripts.checksum } },
          spec: {
            ...restrictedPod(postgres.user),
            imagePullSecrets: values.imagePullSecrets,
            terminationGracePeriodSeconds: 90,
            containers: [
              {
                ...RESTRICTED_CONTAINER,
                name: 'postgres',
                image: postgres.image,
                imagePullPolicy: values.imagePullPolicy,
                command: ['sh', `/scripts/${start}`],
                args: postgresOptions(values),
                env: [{ name: 'PGDATA', value: PGDATA }, ...props.env],
                ports: [{ name: 'postgres', containerPort: POSTGRES_PORT }],
                resources: props.resources,
                // Making the database, or copying a large one, takes its time.
                startupProbe: { ...ready, periodSeconds: 2, failureThreshold: 1800, timeoutSeconds: 5 },
                readinessProbe: { ...ready, periodSeconds: 5, timeoutSeconds: 5 },
                ...(props.livenessProbe === undefined ? {} : { livenessProbe: props.livenessProbe }),
                // Told to stop by a signal, Postgres waits until its clients leave by themselves.
                lifecycle: { preStop: { exec: { command: ['pg_ctl', 'stop', '--mode=fast', '--timeout=80'] } } },
                volumeMounts: [{ name: 'data', mountPath: '/data' }, scripts.mount, temporary.mount, memory.mount],
              },
            ],
            volumes: [scripts.volume, temporary.volume, memory.volume],
          },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data', labels: selector },
            spec: {
              accessModes: ['ReadWriteOnce'],
              storageClassName: when(not(empty(postgres.storageClass)), postgres.storageClass),
              resources: { requests: { storage: postgres.storage } },
            },
          },
        ],
      },
    })
  }
}
