import { Construct } from 'constructs'
import type { HopwhistleValues } from '../chart-values/hopwhistle-values.ts'
import { both } from '../values/compute.ts'
import { Conditional, when } from '../values/when.ts'
import type { Credentials } from './credentials.ts'
import { PostgresBackup } from './postgres-backup.ts'
import { PRIMARY, REPLICA } from './postgres-names.ts'
import { PostgresServer } from './postgres-server.ts'

/** A primary, and a replica that streams from it by a replication slot. */
export class Postgres extends Construct {
  constructor(scope: Construct, values: HopwhistleValues, credentials: Credentials) {
    super(scope, 'postgres')
    const replicationPassword = credentials.variable('REPLICATION_PASSWORD', 'replication-password')
    const { replica } = values.postgres
    const files = credentials.files('owner-password', 'replication-password', 'api-password', 'monitor-password')
    const backup = new PostgresBackup(this, values, credentials)
    new PostgresServer(this, 'primary', {
      component: PRIMARY,
      values,
      start: 'start-primary.sh',
      scripts: ['set-passwords.sh'],
      // Where the container's first process says things, it is read.
      whenReady: 'sh /scripts/set-passwords.sh 2>/proc/1/fd/2 || true',
      env: [
        credentials.variable('OWNER_PASSWORD', 'owner-password'),
        replicationPassword,
        when(replica.enabled, { name: 'REPLICA_HOST', value: REPLICA.name }),
        files.env,
        ...backup.env,
      ],
      // A new database waits, before it is ready, for the replica to say that it has no data.
      publishNotReady: true,
      image: backup.image,
      args: [
        // As start-replica.sh names itself.
        when(both(replica.enabled, replica.synchronous), '-csynchronous_standby_names=hopwhistle_replica'),
        ...backup.args,
      ],
      initContainers: backup.restore,
      mounts: [files.mount, ...backup.mounts],
      volumes: [files.volume, ...backup.volumes],
      resources: values.postgres.resources,
      ofKind: values.postgres.pod,
    })
    const replicated = new Conditional(this, 'replicated', replica.enabled)
    new PostgresServer(replicated, 'replica', {
      component: REPLICA,
      values,
      start: 'start-replica.sh',
      scripts: ['replica-follows.sh'],
      env: [{ name: 'PRIMARY_HOST', value: PRIMARY.name }, replicationPassword],
      resources: replica.resources,
      ofKind: replica.pod,
      livenessProbe: {
        exec: { command: ['sh', '/scripts/replica-follows.sh'] },
        periodSeconds: 30,
        timeoutSeconds: 10,
        failureThreshold: 2,
      },
    })
  }
}
