import { type AlertCase, AT_LABELS, type Series, stays } from './alert-case.ts'

const up = (job: string, instance: string, value = 1): Series =>
  stays('up', `job="${job}", instance="${instance}"`, value)
const all = [
  up('hopwhistle-api', 'api-1'),
  up('hopwhistle-postgres', 'primary'),
  up('hopwhistle-redis', 'redis'),
  stays('hopwhistle_limit', 'instance="api-1", resource="websockets"', 1_000),
]
const exporterOfReplica = stays('up', 'job="hopwhistle-postgres", instance="replica", server="replica"', 0)
const streaming = (replicas: number) =>
  stays('pg_hopwhistle_replication_streaming', 'job="hopwhistle-postgres", server="primary"', replicas)

export const targetCases: readonly AlertCase[] = [
  {
    alert: 'TargetDown',
    fires: [...all, up('hopwhistle-api', 'api-2', 0)],
    isQuiet: [...all, up('somebody-else', 'x', 0)],
    afterMinutes: 5,
    labels: { ...AT_LABELS, job: 'hopwhistle-api', instance: 'api-2', severity: 'page' },
    says: 'api-2 (hopwhistle-api) of prod/hw cannot be scraped',
  },
  {
    alert: 'TargetDown',
    fires: [...all, exporterOfReplica, streaming(1)],
    // Its replica is gone; another alert reports that.
    isQuiet: [...all, exporterOfReplica, streaming(0)],
    afterMinutes: 5,
    labels: { ...AT_LABELS, job: 'hopwhistle-postgres', instance: 'replica', severity: 'page' },
    says: 'replica (hopwhistle-postgres) of prod/hw cannot be scraped',
  },
  {
    alert: 'MetricsMissing',
    // It existed for ten minutes, and was then no longer discovered.
    fires: [
      ...all.filter((_, i) => i !== 0),
      ['up{namespace="prod", release="hw", job="hopwhistle-api", instance="api-1"}', '1x10 _x50'],
    ],
    isQuiet: all,
    afterMinutes: 30,
    labels: { ...AT_LABELS, job: 'hopwhistle-api', severity: 'page' },
    says: 'Prometheus has no target of hopwhistle-api for prod/hw',
  },
  {
    alert: 'MetricsMissing',
    // It never existed, although an API did.
    fires: all.filter((_, i) => i !== 2),
    isQuiet: all,
    afterMinutes: 10,
    labels: { ...AT_LABELS, job: 'hopwhistle-redis', severity: 'page' },
    says: 'Prometheus has no target of hopwhistle-redis for prod/hw',
  },
]
