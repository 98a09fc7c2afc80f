import { describe, expect, test } from 'vitest'
import { poolSizes } from '../../../api/src/postgres/open-postgres.ts'
import { hopwhistle } from '../../charts/hopwhistle.ts'
import { primaryConnections } from '../../constructs/connection-budget.ts'
import { evaluate } from '../../values/evaluate.ts'
import { synthesize } from '../../values/helm-chart.ts'
import { type Json, Value } from '../../values/value.ts'
import { byName, chartFolder, helm, helmTemplate, NEEDS_HELM } from '../support/helm.ts'

const EXTERNAL = {
  postgres: { external: { enabled: true, existingSecret: 'database', caSecret: 'database-ca' } },
  redis: { external: { enabled: true, existingSecret: 'redis', caSecret: 'redis-ca', clusterNodes: 'a:6379,b:6379' } },
}

const S3 = { bucket: 'backups', endpoint: 's3.example.com', region: 'here', existingSecret: 'keys' }

const given: readonly [string, { readonly [name: string]: Json }][] = [
  ['its defaults', {}],
  ['databases elsewhere', EXTERNAL],
  ['no replica and no policies', { postgres: { replica: { enabled: false } }, networkPolicies: { enabled: false } }],
  [
    'autoscaling by requests in flight',
    { api: { autoscaling: { enabled: true, requestsInFlight: { enabled: true } } } },
  ],
  [
    'a port on every node, demo data',
    { api: { service: { type: 'NodePort', nodePort: 30001 } }, demo: { enabled: true } },
  ],
  ['a Secret of somebody else', { credentials: { existingSecret: 'passwords' }, podLabels: { team: 'calls' } }],
  [
    'other limits of memory',
    {
      postgres: { resources: { limits: { memory: '1.5Gi' } }, replica: { resources: { limits: { memory: '16G' } } } },
      redis: { resources: { requests: { memory: '128Mi' }, limits: { memory: '160Mi' } } },
    },
  ],
  ['backups in a volume', { postgres: { backup: { enabled: true, storageClass: 'slow' } } }],
  [
    'backups in S3, and a restore',
    { postgres: { backup: { enabled: true, s3: S3 }, restore: { targetTime: '2026-03-01 12:30:00+00' } } },
  ],
  [
    'monitoring in a namespace of its own',
    {
      networkPolicies: { monitoringNamespace: 'watch', monitoringFrom: [{ podSelector: { matchLabels: { a: 'b' } } }] },
    },
  ],
  ['other lists', { imagePullSecrets: [{ name: 'registry' }], networkPolicies: { apiFrom: [{ podSelector: {} }] } }],
]

describe.skipIf(helm === undefined)(`hopwhistle rendered by Helm${NEEDS_HELM}`, () => {
  test.each(given)('is object by object what is synthesized plainly, with %s', async (_, values) => {
    const rendered = await helmTemplate(chartFolder(hopwhistle), 'mine', values)
    expect(byName(rendered)).toEqual(byName(synthesize(hopwhistle, { name: 'mine', namespace: 'here', values })))
  })
})

test('two releases in one namespace share no object', () => {
  const names = (name: string) => Object.keys(byName(synthesize(hopwhistle, { name })))
  expect(names('one').filter((name) => names('other').includes(name))).toEqual([])
})

test('demo data that are turned off take their key with them', () => {
  const command = (enabled: boolean) =>
    JSON.stringify(
      synthesize(hopwhistle, { values: { demo: { enabled } } }).find(({ metadata }) =>
        /-demo-1-/.test(nameOf(metadata)),
      )?.spec,
    )
  expect(command(true)).toContain('"api/src/commands/db-seed-demo.ts"]')
  expect(command(false)).toContain('"api/src/commands/db-seed-demo.ts","--off"]')
})
const nameOf = (metadata: Json | undefined) => (metadata as { readonly name: string }).name

test('each revision has a Job of its own for migrations', () => {
  const jobs = [1, 2].map(
    (revision) =>
      synthesize(hopwhistle, { revision }).find(({ metadata }) => /-migrate-/.test(nameOf(metadata)))?.metadata,
  )
  expect(jobs).toMatchObject([
    { name: expect.stringMatching(/^hopwhistle-migrate-1-[0-9a-f]{8}$/) },
    { name: expect.stringMatching(/^hopwhistle-migrate-2-[0-9a-f]{8}$/) },
  ])
})

test('a Job that would run something else has another name, and one that runs the same keeps it', () => {
  const names = (values: { readonly [name: string]: Json }) =>
    synthesize(hopwhistle, { values: { demo: { enabled: true }, ...values } })
      .filter(({ kind }) => kind === 'Job')
      .map(({ metadata }) => (metadata as { readonly name: string }).name)
  const before = names({})
  expect(before.map((name) => name.split('-')[1])).toEqual(['credentials', 'migrate', 'demo'])
  expect(names({ api: { replicas: 2 }, redis: { maxClients: 200 } })).toEqual(before)
  const others: readonly { readonly [name: string]: Json }[] = [
    { api: { image: 'hopwhistle/api:0.2.0' } },
    { podLabels: { team: 'calls' } },
    { imagePullSecrets: [{ name: 'registry' }] },
    EXTERNAL,
  ]
  for (const values of others) expect(names(values).filter((name) => before.includes(name))).toEqual([])
})

describe('the connection budget', () => {
  test('counts of a pool what the API gives to the primary', () => {
    const installation = { Values: {} }
    for (let pool = 8; pool <= 200; pool++) {
      for (const replicated of [true, false]) {
        const computed = primaryConnections(known(pool), known(replicated))
        const { ingest, upkeep, reportsPrimary } = poolSizes(pool, replicated)
        expect(evaluate(computed.expression, installation), `${pool}`).toBe(ingest + upkeep + reportsPrimary)
      }
    }
  })

  test('refuses more pods than the primary has connections for, and says the sum', () => {
    const render = (replicas: number, maxConnections = 100) =>
      synthesize(hopwhistle, { values: { api: { replicas }, postgres: { maxConnections } } })
    expect(render(6).length).toBeGreaterThan(10)
    expect(() => render(7)).toThrow(
      '104 connections are needed and postgres.maxConnections is 100: 12 of each of 7 API pods and 1 more while a version rolls out',
    )
    expect(render(7, 104).length).toBeGreaterThan(10)
  })

  test('counts the most pods that the autoscaler may start', () => {
    const render = (max: number) =>
      synthesize(hopwhistle, { values: { api: { replicas: 1, autoscaling: { enabled: true, max } } } })
    expect(render(6).length).toBeGreaterThan(10)
    expect(() => render(7)).toThrow('104 connections are needed')
  })
})

test('a database elsewhere without its Secret is refused', () => {
  const values = { ...EXTERNAL, redis: { external: { enabled: true } } }
  expect(() => synthesize(hopwhistle, { values })).toThrow(
    'redis.external.enabled is true: name the Secret with its URLs in redis.external.existingSecret.',
  )
})

test('backups in S3 of which something is missing, and a restore without backups, are refused', () => {
  const { endpoint, ...incomplete } = S3
  expect(() => synthesize(hopwhistle, { values: { postgres: { backup: { enabled: true, s3: incomplete } } } })).toThrow(
    'postgres.backup.s3.bucket is given: give its endpoint, region and existingSecret too.',
  )
  expect(() => synthesize(hopwhistle, { values: { postgres: { restore: { targetTime: 'latest' } } } })).toThrow(
    'a restore needs the backups, postgres.backup.enabled',
  )
})

const known = <T extends Json>(value: T) => new Value<T>({ known: value })
