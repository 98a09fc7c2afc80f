import { k8s } from 'cdk8s-plus-27'
import { Construct } from 'constructs'
import type { HopwhistleValues } from '../chart-values/hopwhistle-values.ts'
import { both, choose, either, empty, not } from '../values/compute.ts'
import { kubeObject, type Templated } from '../values/kube-object.ts'
import { Refusal } from '../values/refusal.ts'
import type { Value } from '../values/value.ts'
import { Conditional, each, when } from '../values/when.ts'
import type { Credentials } from './credentials.ts'
import { given } from './given.ts'
import { job } from './job.ts'
import { imageOf, pod } from './pod.ts'
import { BACKUP, PRIMARY, REPLICA } from './postgres-names.ts'
import { DATA, PGDATA } from './postgres-server.ts'
import { RESTRICTED_CONTAINER, restrictedPod, scratch } from './restricted.ts'
import { Scripts } from './scripts.ts'

const FILES = '/backup'
const REPOSITORY = '/repository'
const KEEP_SECONDS = 86_400
/** WAL is archived when 16 MiB are full, or after this time: what a lost volume takes with it at most. */
const ARCHIVE = ['-carchive_mode=on', '-carchive_timeout=60s', '-carchive_command=pgbackrest archive-push "%p"']

/**
 * Backups of the primary by pgBackRest, in a volume of their own or in S3.
 *
 * The primary archives its WAL itself. Base backups are Jobs on its node, with its volume, which they only read: one that
 * fails, or takes more memory than it may, does not touch the primary. They are its superuser's, like what restores it.
 */
export class PostgresBackup extends Construct {
  /** For the primary's pod: what it has in addition, and runs before it. */
  readonly image: Value<string>
  readonly args: readonly Templated<string>[]
  readonly env: readonly Templated<k8s.EnvVar>[]
  readonly mounts: readonly Templated<k8s.VolumeMount>[]
  readonly volumes: readonly Templated<k8s.Volume>[]
  readonly restore: Templated<readonly k8s.Container[]>

  constructor(scope: Construct, values: HopwhistleValues, credentials: Credentials) {
    super(scope, 'backup')
    const { postgres } = values
    const { backup, restore } = postgres
    const { name, labels } = BACKUP
    const enabled = new Conditional(this, 'enabled', backup.enabled)
    const inVolume = empty(backup.s3.bucket)
    const inS3 = given(backup.s3.bucket)
    this.#refuse(values)

    const scripts = new Scripts(enabled, BACKUP, ['backup.sh', 'restore.sh'], {
      'pgbackrest.conf': configuration(values),
    })
    const files = {
      volume: { ...scripts.volume, name: 'backup' },
      mount: { name: 'backup', mountPath: FILES, readOnly: true },
    }
    const repository = {
      volume: { name: 'repository', persistentVolumeClaim: { claimName: name } },
      mount: { name: 'repository', mountPath: REPOSITORY },
    }
    const pgBackRest = [
      { name: 'PGBACKREST_CONFIG', value: `${FILES}/pgbackrest.conf` },
      { name: 'PGBACKREST_STANZA', value: 'hopwhistle' },
    ]
    const ofS3 = [
      ['PGBACKREST_REPO1_S3_KEY', 'access-key'],
      ['PGBACKREST_REPO1_S3_KEY_SECRET', 'secret-key'],
    ].map(([variable = '', key = '']) => ({
      name: variable,
      valueFrom: { secretKeyRef: { name: backup.s3.existingSecret, key } },
    }))
    const env = [...pgBackRest, ...ofS3.map((variable) => when(inS3, variable))]
    const mounts = [files.mount, when(inVolume, repository.mount)]

    const image = imageOf(values, backup.image)
    this.image = choose(backup.enabled, backup.image, postgres.image)
    this.args = ARCHIVE.map((arg) => when(backup.enabled, arg))
    this.env = [
      ...pgBackRest.map((variable) => when(backup.enabled, variable)),
      ...ofS3.map((variable) => when(both(backup.enabled, inS3), variable)),
    ]
    this.mounts = [when(backup.enabled, files.mount), when(both(backup.enabled, inVolume), repository.mount)]
    this.volumes = [when(backup.enabled, files.volume), when(both(backup.enabled, inVolume), repository.volume)]
    const primary = pod(values, postgres.pod, { labels: PRIMARY.labels })
    this.restore = when(backup.enabled, [
      {
        ...RESTRICTED_CONTAINER,
        name: 'restore',
        image,
        imagePullPolicy: values.imagePullPolicy,
        command: ['sh', `${FILES}/restore.sh`],
        env: [
          { name: 'PGDATA', value: PGDATA },
          { name: 'REPLICA_HOST', value: choose(postgres.replica.enabled, REPLICA.name, '') },
          { name: 'RESTORE_TARGET', value: restore.targetTime },
          { name: 'RESTORE_REPLACE', value: `${restore.replaceData}` },
          ...env,
          each(primary.container.env),
        ],
        envFrom: primary.container.envFrom,
        resources: postgres.resources,
        volumeMounts: [
          { name: 'data', mountPath: DATA },
          { name: 'tmp', mountPath: '/tmp' },
          { name: 'shm', mountPath: '/dev/shm' },
          ...mounts,
        ],
      },
    ])

    kubeObject(new Conditional(enabled, 'in-volume', inVolume), 'claim', k8s.KubePersistentVolumeClaim, {
      metadata: { name, labels, annotations: { 'helm.sh/resource-policy': 'keep' } },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: when(given(backup.storageClass), backup.storageClass),
        resources: { requests: { storage: backup.storage } },
      },
    })

    const temporary = scratch('tmp', '/tmp', '256Mi')
    const own = pod(values, backup.pod, {
      labels,
      // Volumes that one node may have at a time are on the primary's.
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: PRIMARY.selector } },
          ],
        },
      },
    })
    const spec = (args: readonly string[]) =>
      ({
        backoffLimit: 6,
        ttlSecondsAfterFinished: KEEP_SECONDS,
        template: {
          metadata: { labels: own.labels, annotations: own.annotations },
          spec: {
            ...restrictedPod(postgres.user),
            ...own.spec,
            restartPolicy: 'OnFailure',
            containers: [
              {
                ...RESTRICTED_CONTAINER,
                name: 'backup',
                image,
                imagePullPolicy: values.imagePullPolicy,
                command: ['sh', `${FILES}/backup.sh`, ...args],
                env: [
                  { name: 'PGHOST', value: PRIMARY.name },
                  { name: 'PGUSER', value: 'postgres' },
                  credentials.variable('PGPASSWORD', 'owner-password'),
                  { name: 'FULL_EVERY_DAYS', value: `${backup.fullEveryDays}` },
                  ...env,
                  each(own.container.env),
                ],
                envFrom: own.container.envFrom,
                resources: backup.resources,
                volumeMounts: [{ name: 'data', mountPath: DATA, readOnly: true }, temporary.mount, ...mounts],
              },
            ],
            volumes: [
              { name: 'data', persistentVolumeClaim: { claimName: `data-${PRIMARY.name}-0` } },
              temporary.volume,
              files.volume,
              when(inVolume, repository.volume),
            ],
          },
        },
      }) satisfies Templated<k8s.JobSpec>
    kubeObject(enabled, 'schedule', k8s.KubeCronJob, {
      metadata: { name, labels },
      spec: {
        schedule: backup.schedule,
        timeZone: 'Etc/UTC',
        concurrencyPolicy: 'Forbid',
        startingDeadlineSeconds: 3600,
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 3,
        jobTemplate: { metadata: { labels }, spec: spec([]) },
      },
    })
    // WAL alone restores nothing: the first base backup does not wait for the night.
    job(enabled, 'first', BACKUP, spec(['--first']))
  }

  #refuse({ postgres }: HopwhistleValues): void {
    const { backup, restore } = postgres
    const { bucket, endpoint, region, existingSecret } = backup.s3
    const incomplete = either(empty(endpoint), either(empty(region), empty(existingSecret)))
    new Refusal(
      this,
      's3',
      both(both(backup.enabled, given(bucket)), incomplete),
      'postgres.backup.s3.bucket is given: give its endpoint, region and existingSecret too.',
    )
    new Refusal(
      this,
      'restore',
      both(given(restore.targetTime), not(backup.enabled)),
      'postgres.restore.targetTime is given: a restore needs the backups, postgres.backup.enabled.',
    )
  }
}

/** Read by each call of pgBackRest. Secrets come from its environment. */
function configuration({ postgres }: HopwhistleValues): string {
  const { backup } = postgres
  const { s3 } = backup
  const place = choose(
    given(s3.bucket),
    `repo1-type=s3
repo1-path=${s3.path}
repo1-s3-bucket=${s3.bucket}
repo1-s3-endpoint=${s3.endpoint}
repo1-s3-region=${s3.region}
repo1-s3-uri-style=${s3.uriStyle}
repo1-storage-port=${s3.port}`,
    `repo1-path=${REPOSITORY}`,
  )
  return `[global]
${place}
repo1-bundle=y
repo1-retention-full-type=time
repo1-retention-full=${backup.retentionDays}
compress-type=zst
start-fast=y
# Like a replica that is away, backups that fail must not fill the disk of the primary.
archive-push-queue-max=${postgres.maxSlotWalKeepSize}
log-level-console=info
log-level-file=off
lock-path=/tmp/pgbackrest
spool-path=/tmp/pgbackrest-spool

[hopwhistle]
pg1-path=${PGDATA}
`
}
