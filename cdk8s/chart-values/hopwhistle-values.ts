/** The values of charts/hopwhistle: everything that differs between installations. */

import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { MIB } from '@hopwhistle/platform/settings/arithmetic.ts'
import { MAX_SLOT_WAL_KEEP_SIZE, MAX_WAL_SIZE, POSTGRES_MEMORY_BYTES } from '@hopwhistle/platform/settings/postgres.ts'
import { REDIS_MEMORY_BYTES } from '@hopwhistle/platform/settings/redis.ts'
import type { k8s } from 'cdk8s-plus-27'
import {
  annotations,
  cron,
  flag,
  image,
  integer,
  labels,
  list,
  name,
  nodePort,
  oneOf,
  quantity,
  resources,
  section,
  text,
  type ValuesOf,
} from '../values/define.ts'
import { NETWORK_PEER, POD_FIELDS, podOf, TOLERATION } from './pod-fields.ts'
import { SETTING_FIELDS } from './setting-fields.ts'
import { IMAGES } from './versions.ts'

const inMebibytes = (bytes: number) => `${bytes / MIB}Mi`
const port = (fallback: number, note: string) => integer(fallback, note, { min: 1, max: 65535 })

/** A command of the API that is run once. */
const COMMAND = { requests: { cpu: '50m', memory: '96Mi' }, limits: { cpu: '1', memory: '512Mi' } }

export const HOPWHISTLE = {
  ...POD_FIELDS,

  api: section('The API, which accepts call events, answers reports and delivers live messages', {
    image: image(IMAGES.api, 'Its image, which also runs migrations and makes the demo data'),
    replicas: integer(3, 'Number of pods while autoscaling is off', { min: 1, max: 200 }),
    autoscaling: section('More pods under load, fewer without', {
      enabled: flag(false, 'Needs metrics-server'),
      min: integer(2, 'Fewest pods', { min: 1 }),
      max: integer(6, 'Most pods; see postgres.maxConnections', { min: 1, max: 200 }),
      cpuPercent: integer(70, 'Target CPU use of the pods: percent of the CPU that they request, on average', {
        min: 1,
        max: 1000,
      }),
      requestsInFlight: section(
        'Scales by requests in flight as well; needs a metrics adapter that serves hopwhistle_http_requests_in_flight',
        {
          enabled: flag(false, 'Whether this target is used'),
          perPod: integer(200, 'Target for the average number of requests in flight per pod', { min: 1 }),
        },
      ),
    }),
    surge: integer(1, 'Extra pods while a new version rolls out', { min: 1, max: 10 }),
    service: section('The Service of the API, port 3001', {
      type: oneOf(['ClusterIP', 'NodePort', 'LoadBalancer'], 'ClusterIP', 'Kind of Service'),
      nodePort: nodePort('Port on every node, for NodePort and LoadBalancer; 0: Kubernetes chooses'),
      annotations: annotations('Annotations for the load balancer of a cloud'),
    }),
    resources: resources(
      'Resources of each pod. Node.js runs JavaScript on one core; garbage collection can use a second one',
      {
        requests: { cpu: '500m', memory: '256Mi' },
        limits: { cpu: '2', memory: '768Mi' },
      },
    ),
    preStopSeconds: integer(3, 'Time between removing a pod from the endpoints and telling it to stop', {
      min: 1,
      max: 60,
    }),
    graceSeconds: integer(40, 'Time that a pod has to stop before it is killed', { min: 10, max: 600 }),
    nodeSelector: labels('Labels of the nodes that pods of the API may run on'),
    tolerations: list<k8s.Toleration>([], 'Taints that pods of the API tolerate', TOLERATION),
    waitResources: resources('Resources of the container that waits for the schema before a pod starts', {
      requests: { cpu: '10m', memory: '64Mi' },
      limits: { cpu: '1', memory: '128Mi' },
    }),
    pod: podOf('pods of the API'),
    settings: section('Settings of each instance: see docs/configuration.md', SETTING_FIELDS),
  }),

  demo: section('Demo data: 225,000 calls and a key that everyone knows', {
    enabled: flag(false, 'Never turn it on in production. Turning it off again revokes the key; the calls stay'),
    resources: resources('Resources of the Job that creates the data', COMMAND),
    pod: podOf('its pod'),
  }),

  migrations: section('The Job that brings the schema up to date', {
    resources: resources('Resources of its pod', COMMAND),
    pod: podOf('its pod'),
  }),

  credentials: section('Passwords. A Job makes those that are missing, and keeps the others', {
    existingSecret: name(
      'Name of your own Secret with the passwords, in the entries owner-password, api-password, replication-password, monitor-password and redis-password, and grafana-password for hopwhistle-monitoring; a password may have letters, digits, - and _ only',
    ),
    resources: resources('Of the Job that makes them', COMMAND),
    pod: podOf('its pod'),
  }),

  postgres: section('The database: a primary and a streaming replica in this chart, or an external one', {
    external: section('An external database, such as the -rw and -ro services of CloudNativePG', {
      enabled: flag(false, 'true: this chart starts none'),
      existingSecret: name(
        'Name of a Secret with the URLs: writer-url and reader-url as the role hopwhistle_api, migration-url as a role that may create roles and schemas. If the Secret also has an api-password, migrations set it as the password of hopwhistle_api',
      ),
      caSecret: name(
        'Name of a Secret with the ca.crt that signs its certificate; URLs then end with ?sslmode=verify-full&sslrootcert=/etc/postgres-ca/ca.crt',
      ),
      reader: flag(true, 'Whether there is a reader-url; without one, reports read the writer'),
      port: port(5432, 'Its port, for network policies'),
    }),
    maxConnections: integer(
      LIMITS.postgres_connections.value,
      'Connections that all clients of the primary may open together. The chart refuses values that could need more',
      { min: 20, max: 5000 },
    ),
    image: image(IMAGES.postgres, 'Postgres 15 to 18, with its programs on the PATH'),
    user: integer(999, 'User id of postgres in that image: 999 on Debian, 70 on Alpine', { min: 1 }),
    storage: quantity(
      '20Gi',
      'Size of the volumes of primary and replica. While the replica copies the primary again, its volume holds two copies',
    ),
    storageClass: name('Class of the volumes; empty: the cluster’s default'),
    maxWalSize: text(MAX_WAL_SIZE, 'WAL between two checkpoints', /\d+(?:MB|GB)/),
    maxSlotWalKeepSize: text(
      MAX_SLOT_WAL_KEEP_SIZE,
      'Most WAL that is kept for a replica that is away; a replica that misses more copies the primary again',
      /\d+(?:MB|GB)/,
    ),
    resources: resources(
      'Resources of the primary. shared_buffers, work_mem and other sizes are computed from its memory limit',
      {
        requests: { cpu: '500m', memory: '512Mi' },
        limits: { cpu: '4', memory: inMebibytes(POSTGRES_MEMORY_BYTES) },
      },
    ),
    pod: podOf('the pod of the primary'),
    replica: section('The streaming replica, which answers reports', {
      enabled: flag(true, 'false: reports read the primary'),
      synchronous: flag(
        false,
        'true: an event is acknowledged once the replica has it as well; while the replica is away, events are answered 503',
      ),
      resources: resources('Resources of the replica. Its sizes are computed from its memory limit in the same way', {
        requests: { cpu: '250m', memory: '512Mi' },
        limits: { cpu: '4', memory: inMebibytes(POSTGRES_MEMORY_BYTES) },
      }),
      pod: podOf('its pod'),
    }),
    backup: section('Backups of the primary by pgBackRest, for a restore to any point in time: see docs/backup.md', {
      enabled: flag(false, 'Takes a base backup each night, and archives all WAL continuously'),
      image: image(
        IMAGES.postgresBackup,
        'Image of the primary while backups are on: like postgres.image, of the same major version, with pgbackrest on the PATH',
      ),
      schedule: cron(
        '17 2 * * *',
        'When base backups are taken, in cron syntax and UTC; an alert expects one each day',
      ),
      fullEveryDays: integer(
        7,
        'Age of the last full backup at which the next one is full; backups between contain only changes',
        {
          min: 1,
        },
      ),
      retentionDays: integer(14, 'How many days back a restore can reach at least', { min: 1 }),
      storage: quantity('40Gi', 'Size of the volume of the backups, which has nothing else'),
      storageClass: name('Class of that volume; empty: the cluster’s default'),
      s3: section('S3-compatible storage instead of the volume', {
        bucket: text('', 'Name of the bucket; empty: backups go to a volume'),
        path: text('/hopwhistle', 'Folder in the bucket, which no other release may use', /\/[^\s]+/),
        endpoint: text('', 'Host name, such as s3.eu-central-1.amazonaws.com'),
        port: port(443, 'TLS port'),
        region: text('', 'Region'),
        uriStyle: oneOf(
          ['host', 'path'],
          'host',
          'Position of the bucket in URLs; most S3 servers other than Amazon need path',
        ),
        existingSecret: name('Name of a Secret with an access-key and a secret-key'),
      }),
      resources: resources('Resources of the pods that take base backups', {
        requests: { cpu: '100m', memory: '128Mi' },
        limits: { cpu: '2', memory: '512Mi' },
      }),
      pod: podOf('pods that take base backups'),
    }),
    restore: section('Restores the primary from its backups at its next start: see docs/backup.md', {
      targetTime: text(
        '',
        'The time to restore to, such as 2026-03-01 12:30:00+00, or latest; empty: no restore',
        /|latest|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d(?::?\d\d)?/,
      ),
      replaceData: flag(
        false,
        'true: existing data is moved to another folder of the volume; false: the primary refuses to start if there is any',
      ),
    }),
  }),

  redis: section('Redis, for live delivery and the report cache: in this chart, or an external one', {
    external: section('An external Redis', {
      enabled: flag(false, 'true: this chart starts none'),
      existingSecret: name('Name of a Secret with its url: redis://user:password@host:6379, or rediss://'),
      caSecret: name('Name of a Secret with the ca.crt that signs its certificate, for rediss://'),
      clusterNodes: text('', 'host:port,host:port of a Redis Cluster; empty: a single server'),
      maxMemoryBytes: integer(
        LIMITS.redis_memory.value,
        'Its maxmemory, from which boards and alerts compute how full it is',
        { min: 1 },
      ),
      port: port(6379, 'Its port, for network policies'),
    }),
    image: image(IMAGES.redis, 'Redis 7 or newer, with its programs on the PATH'),
    user: integer(999, 'User id of redis in that image', { min: 1 }),
    maxClients: integer(LIMITS.redis_connections.value, 'Most connections', { min: 100 }),
    resources: resources('Resources of its pod. Redis uses one core. maxmemory is four fifths of its memory limit', {
      requests: { cpu: '250m', memory: '256Mi' },
      limits: { cpu: '2', memory: inMebibytes(REDIS_MEMORY_BYTES) },
    }),
    pod: podOf('its pod'),
  }),

  networkPolicies: section(
    'Network policies that deny all traffic of these pods, except the connections that they need',
    {
      enabled: flag(true, 'Needs a network plugin that enforces network policies'),
      monitoringNamespace: text('', 'Namespace of hopwhistle-monitoring, if it is another one'),
      monitoringFrom: list<k8s.NetworkPolicyPeer>(
        [],
        'Who else may read metrics: a list of NetworkPolicy peers',
        NETWORK_PEER,
      ),
      webhookPorts: list<{ readonly port: number }>(
        [],
        'Ports that webhooks may be sent to, at any address, such as [{ port: 443 }]; empty: none',
        { type: 'object' },
      ),
      apiFrom: list<k8s.NetworkPolicyPeer>(
        [],
        'Who may call the API: a list of NetworkPolicy peers; empty: everyone',
        NETWORK_PEER,
      ),
    },
  ),
}

export type HopwhistleValues = ValuesOf<typeof HOPWHISTLE>
