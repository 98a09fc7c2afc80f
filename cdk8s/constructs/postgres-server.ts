import type { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { HopwhistleValues } from '../chart-values/hopwhistle-values.ts'
import { empty, not } from '../values/compute.ts'
import type { Templated } from '../values/kube-object.ts'
import type { Value } from '../values/value.ts'
import { when } from '../values/when.ts'
import type { Component } from './component.ts'
import { refuseOtherStorage } from './fixed-storage.ts'
import { imageOf } from './pod.ts'
import { postgresOptions } from './postgres-settings.ts'
import { scratch } from './restricted.ts'
import { Scripts } from './scripts.ts'
import { SinglePod } from './single-pod.ts'

export const POSTGRES_PORT = 5432
/** Where the volume of a server is, and its data on it. */
export const DATA = '/data'
export const PGDATA = `${DATA}/postgres`

export type PostgresServerProps = {
  readonly component: Component
  readonly values: HopwhistleValues
  /** The script of cdk8s/scripts that prepares the data and becomes the server. */
  readonly start: string
  /** More scripts that the probes run. @default none */
  readonly scripts?: readonly string[]
  readonly env: readonly Templated<k8s.EnvVar>[]
  /** @default `postgres.image` of the values */
  readonly image?: Value<string>
  /** More arguments for it. @default none */
  readonly args?: readonly Templated<string>[]
  /** @default none */
  readonly initContainers?: Templated<readonly k8s.Container[]>
  /** @default none but the data */
  readonly mounts?: readonly Templated<k8s.VolumeMount>[]
  /** @default none but the data */
  readonly volumes?: readonly Templated<k8s.Volume>[]
  /** The sizes of its settings follow from its limit of memory. */
  readonly resources: HopwhistleValues['postgres']['resources']
  /** What the values ask of its pod. */
  readonly ofKind: HopwhistleValues['postgres']['pod']
  /** Whether its Service leads to it also while it is not ready. @default false */
  readonly publishNotReady?: boolean
  /** A shell command for a server that is ready, run again and again. @default nothing */
  readonly whenReady?: string
  /** @default none: a server that runs is alive */
  readonly livenessProbe?: Templated<k8s.Probe>
}

/** One Postgres with a volume of its own. */
export class PostgresServer extends Construct {
  constructor(scope: Construct, id: string, props: PostgresServerProps) {
    super(scope, id)
    const { component, values, start, livenessProbe, publishNotReady, whenReady } = props
    const { postgres } = values
    refuseOtherStorage(this, component, { path: 'postgres.storage', value: postgres.storage })
    const scripts = new Scripts(this, component, [start, 'pg_hba.conf', ...(props.scripts ?? [])])
    const temporary = scratch('tmp', '/tmp', '256Mi')
    const memory = scratch('shm', '/dev/shm', '256Mi', 'Memory')
    // What answers before the data is in its place is no database for others.
    const isReady = '[ -s "$PGDATA/PG_VERSION" ] && pg_isready --quiet --host=127.0.0.1 --username=postgres'
    const probe = (script: string) => ({ exec: { command: ['sh', '-c', script] } })

    new SinglePod(this, 'pod', {
      component,
      values,
      user: postgres.user,
      port: POSTGRES_PORT,
      portName: 'postgres',
      ...(publishNotReady === undefined ? {} : { publishNotReady }),
      ofKind: props.ofKind,
      annotations: { 'checksum/scripts': scripts.checksum },
      graceSeconds: 90,
      container: {
        name: 'postgres',
        image: imageOf(values, props.image ?? postgres.image),
        command: ['sh', `/scripts/${start}`],
        args: [...postgresOptions(values, props.resources.limits.memory), ...(props.args ?? [])],
        env: [{ name: 'PGDATA', value: PGDATA }, ...props.env],
        resources: props.resources,
        // Making the database, or copying a large one, takes its time.
        startupProbe: { ...probe(isReady), periodSeconds: 2, failureThreshold: 1800, timeoutSeconds: 5 },
        readinessProbe: {
          ...probe(whenReady === undefined ? isReady : `${isReady} && { ${whenReady}; }`),
          periodSeconds: 5,
          timeoutSeconds: 5,
        },
        ...(livenessProbe === undefined ? {} : { livenessProbe }),
        // Told to stop by a signal, Postgres waits until its clients leave by themselves.
        lifecycle: { preStop: { exec: { command: ['pg_ctl', 'stop', '--mode=fast', '--timeout=80'] } } },
        volumeMounts: [
          { name: 'data', mountPath: DATA },
          scripts.mount,
          temporary.mount,
          memory.mount,
          ...(props.mounts ?? []),
        ],
      },
      volumes: [scripts.volume, temporary.volume, memory.volume, ...(props.volumes ?? [])],
      ...(props.initContainers === undefined ? {} : { initContainers: props.initContainers }),
      claim: {
        metadata: { name: 'data', labels: component.selector },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: when(not(empty(postgres.storageClass)), postgres.storageClass),
          resources: { requests: { storage: postgres.storage } },
        },
      },
    })
  }
}
