/** The values of charts/hopwhistle: everything that differs between installations. */

import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { MIB } from '@hopwhistle/platform/settings/arithmetic.ts'
import { MAX_SLOT_WAL_KEEP_SIZE, MAX_WAL_SIZE, POSTGRES_MEMORY_BYTES } from '@hopwhistle/platform/settings/postgres.ts'
import { REDIS_MEMORY_BYTES } from '@hopwhistle/platform/settings/redis.ts'
import type { k8s } from 'cdk8s-plus-27'
import {
  flag,
  integer,
  list,
  oneOf,
  quantity,
  resources,
  section,
  text,
  textMap,
  type ValuesOf,
} from '../values/define.ts'
import { POD_FIELDS, podOf } from './pod-fields.ts'
import { SETTING_FIELDS } from './setting-fields.ts'
import { IMAGES } from './versions.ts'

const inMebibytes = (bytes: number) => `${bytes / MIB}Mi`
const port = (fallback: number, note: string) => integer(fallback, note, { min: 1, max: 65535 })

/** A command of the API that is run once. */
const COMMAND = { requests: { cpu: '50m', memory: '96Mi' }, limits: { cpu: '1', memory: '512Mi' } }

export const HOPWHISTLE = {
  ...POD_FIELDS,

  api: section('The API, which takes call events, reports, and delivers live', {
    image: text(IMAGES.api, 'Its image; migrations and demo data use it too'),
    replicas: integer(3, 'Pods while autoscaling is off', { min: 1, max: 200 }),
    autoscaling: section('More pods under load, fewer without', {
      enabled: flag(false, 'Needs metrics-server'),
      min: integer(2, 'Fewest pods', { min: 1 }),
      max: integer(6, 'Most pods; see postgres.maxConnections', { min: 1, max: 200 }),
      cpuPercent: integer(70, 'Of the CPU requested, on average, that is aimed at', { min: 1, max: 1000 }),
      requestsInFlight: section(
        'Also by requests in flight; needs an adapter that offers hopwhistle_http_requests_in_flight',
        {
          enabled: flag(false, 'Whether it is used'),
          perPod: integer(200, 'Requests in flight per pod, on average, that is aimed at', { min: 1 }),
        },
      ),
    }),
    surge: integer(1, 'Pods more than wanted while a new version rolls out', { min: 1, max: 10 }),
    service: section('How it is reached: port 3001', {
      type: oneOf(['ClusterIP', 'NodePort', 'LoadBalancer'], 'ClusterIP', 'Kind of Service'),
      nodePort: integer(0, 'Port of every node, for NodePort and LoadBalancer; 0: Kubernetes chooses', {
        min: 0,
        max: 32767,
      }),
      annotations: textMap({}, 'For a cloud’s load balancer'),
    }),
    resources: resources('Of each pod. Node runs JavaScript on one core; a second one serves its garbage collector', {
      requests: { cpu: '500m', memory: '256Mi' },
      limits: { cpu: '2', memory: '768Mi' },
    }),
    preStopSeconds: integer(3, 'Time for endpoints to forget a pod before it is told to stop', { min: 1, max: 60 }),
    graceSeconds: integer(40, 'Time until a pod that was told to stop is killed', { min: 10, max: 600 }),
    nodeSelector: textMap({}, 'Labels of the nodes that it may run on'),
    tolerations: list<k8s.Toleration>([], 'Taints of nodes that are no obstacle', { type: 'object' }),
    waitResources: resources('Of the container that waits for the schema before a pod starts', {
      requests: { cpu: '10m', memory: '64Mi' },
      limits: { cpu: '1', memory: '128Mi' },
    }),
    pod: podOf('pods of the API'),
    settings: section('What each instance reads from its environment: see docs/configuration.md', SETTING_FIELDS),
  }),

  demo: section('Demo data: 225,000 calls and a key that everybody knows', {
    enabled: flag(false, 'Never in production. Turned off again, the key ends; the calls stay'),
    resources: resources('Of the Job that makes them', COMMAND),
    pod: podOf('its pod'),
  }),

  migrations: section('The Job that brings the schema up to date', {
    resources: resources('Of its pod', COMMAND),
    pod: podOf('its pod'),
  }),

  credentials: section('Passwords. A Job makes those that are missing, and keeps the others', {
    existingSecret: text(
      '',
      'Name of a Secret of yours instead, with owner-password, api-password, replication-password, monitor-password and redis-password, and a grafana-password for hopwhistle-monitoring: letters, digits, - and _ only',
    ),
    resources: resources('Of the Job that makes them', COMMAND),
    pod: podOf('its pod'),
  }),

  postgres: section('The database: a primary and a streaming replica of this chart, or another one', {
    external: section('A database of yours, such as the -rw and -ro services of CloudNativePG', {
      enabled: flag(false, 'true: this chart starts none'),
      existingSecret: text(
        '',
        'Name of a Secret with the URLs: writer-url and reader-url as the role hopwhistle_api, migration-url as one that may create roles and schemas; with an api-password in it, migrations let hopwhistle_api log in with that',
      ),
      caSecret: text(
        '',
        'Name of a Secret with the ca.crt that signs its certificate; URLs then end with ?sslmode=verify-full&sslrootcert=/etc/postgres-ca/ca.crt',
      ),
      reader: flag(true, 'Whether there is a reader-url; without one, reports read the writer'),
      port: port(5432, 'Where it listens, for network policies'),
    }),
    maxConnections: integer(
      LIMITS.postgres_connections.value,
      'What all clients of the primary may use together. Values that need more are refused',
      { min: 20, max: 5000 },
    ),
    image: text(IMAGES.postgres, 'Postgres 15 to 18, with its programs on the PATH'),
    user: integer(999, 'User id of postgres in that image: 999 on Debian, 70 on Alpine', { min: 1 }),
    storage: quantity('20Gi', 'Volume of the primary, and of the replica, which holds two copies while it copies anew'),
    storageClass: text('', 'Class of the volumes; empty: the cluster’s default'),
    maxWalSize: text(MAX_WAL_SIZE, 'WAL between two checkpoints', /\d+(?:MB|GB)/),
    maxSlotWalKeepSize: text(
      MAX_SLOT_WAL_KEEP_SIZE,
      'Most WAL that is kept for a replica that is away; past it the replica copies anew',
      /\d+(?:MB|GB)/,
    ),
    resources: resources(
      'Of the primary. shared_buffers, work_mem and the other sizes follow from its limit of memory',
      {
        requests: { cpu: '500m', memory: '512Mi' },
        limits: { cpu: '4', memory: inMebibytes(POSTGRES_MEMORY_BYTES) },
      },
    ),
    pod: podOf('the pod of the primary'),
    replica: section('The streaming replica, which answers reports', {
      enabled: flag(true, 'false: reports read the primary'),
      resources: resources('Of the replica. Its sizes follow from its limit in the same way', {
        requests: { cpu: '250m', memory: '512Mi' },
        limits: { cpu: '4', memory: inMebibytes(POSTGRES_MEMORY_BYTES) },
      }),
      pod: podOf('its pod'),
    }),
    backup: section('Backups of the primary by pgBackRest, for a restore to any point in time: see docs/backup.md', {
      enabled: flag(false, 'A base backup each night, and all WAL as it is written'),
      image: text(
        IMAGES.postgresBackup,
        'Of the primary while this is on: as postgres.image, of the same major version, with pgbackrest on the PATH',
      ),
      schedule: text(
        '17 2 * * *',
        'When base backups are taken, as cron writes it, in UTC; an alert expects one a day',
      ),
      fullEveryDays: integer(
        7,
        'Age of the last full backup at which the next one is full; others have what has changed',
        {
          min: 1,
        },
      ),
      retentionDays: integer(14, 'How far back a restore reaches at least', { min: 1 }),
      storage: quantity('40Gi', 'Volume of the backups, which belongs to nothing else'),
      storageClass: text('', 'Class of that volume; empty: the cluster’s default'),
      s3: section('An S3-compatible storage in place of the volume', {
        bucket: text('', 'Name of the bucket; empty: a volume'),
        path: text('/hopwhistle', 'Folder in the bucket, of this release alone', /\/[^\s]+/),
        endpoint: text('', 'Its host, such as s3.eu-central-1.amazonaws.com'),
        port: port(443, 'Its port, which speaks TLS'),
        region: text('', 'Its region'),
        uriStyle: oneOf(['host', 'path'], 'host', 'Where a URL has the bucket: path for most that are not of Amazon'),
        existingSecret: text('', 'Name of a Secret with an access-key and a secret-key'),
      }),
      resources: resources('Of what takes base backups', {
        requests: { cpu: '100m', memory: '128Mi' },
        limits: { cpu: '2', memory: '512Mi' },
      }),
      pod: podOf('pods that take base backups'),
    }),
    restore: section('Restores the primary from its backups when it starts: see docs/backup.md', {
      targetTime: text(
        '',
        'To this time, such as 2026-03-01 12:30:00+00, or to the latest; empty: nothing is restored',
        /|latest|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?[+-]\d\d(?::?\d\d)?/,
      ),
      replaceData: flag(false, 'true: data that is there is moved aside; otherwise the primary refuses to start'),
    }),
  }),

  redis: section('Redis, for live delivery and the report cache: of this chart, or another one', {
    external: section('A Redis of yours', {
      enabled: flag(false, 'true: this chart starts none'),
      existingSecret: text('', 'Name of a Secret with its url: redis://user:password@host:6379, or rediss://'),
      caSecret: text('', 'Name of a Secret with the ca.crt that signs its certificate, for rediss://'),
      clusterNodes: text('', 'host:port,host:port of a Redis Cluster; empty: it is a single server'),
      maxMemoryBytes: integer(LIMITS.redis_memory.value, 'Its maxmemory, to show how much of it is used', { min: 1 }),
      port: port(6379, 'Where it listens, for network policies'),
    }),
    image: text(IMAGES.redis, 'Redis 7 or newer, with its programs on the PATH'),
    user: integer(999, 'User id of redis in that image', { min: 1 }),
    maxClients: integer(LIMITS.redis_connections.value, 'Most connections', { min: 100 }),
    resources: resources('Of its pod; it runs on one core. maxmemory is four fifths of its limit of memory', {
      requests: { cpu: '250m', memory: '256Mi' },
      limits: { cpu: '2', memory: inMebibytes(REDIS_MEMORY_BYTES) },
    }),
    pod: podOf('its pod'),
  }),

  networkPolicies: section('Nothing may talk to these pods, nor they to anything, but on the paths that they need', {
    enabled: flag(true, 'Needs a network that enforces them'),
    monitoringNamespace: text('', 'Where hopwhistle-monitoring runs, if not in this namespace'),
    monitoringFrom: list<k8s.NetworkPolicyPeer>([], 'Who else may read metrics, as the peers of a NetworkPolicy', {
      type: 'object',
    }),
    apiFrom: list<k8s.NetworkPolicyPeer>(
      [],
      'Who may call the API, as the peers of a NetworkPolicy; empty: everybody',
      { type: 'object' },
    ),
  }),
}

export type HopwhistleValues = ValuesOf<typeof HOPWHISTLE>
