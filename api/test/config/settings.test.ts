import { readFileSync } from 'node:fs'
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { expect, test } from 'vitest'
import { describeSettings, parseSettings, SETTINGS, settingsDocument } from '../../src/config/settings.ts'

const enough = { DATABASE_URL: 'postgres://hopwhistle_api@localhost/hopwhistle' }

test('every problem of the environment is reported at once, by name and never by value', () => {
  const parse = () =>
    parseSettings({ PORT: 'hunter2', LOG_LEVEL: 'hunter3', REDIS_URL: 'http://user:hunter4@x', INGEST_BATCH_MAX: '0' })
  expect(parse).toThrow(/DATABASE_URL is missing/)
  expect(parse).toThrow(/PORT must be a whole number from 0 to 65535/)
  expect(parse).toThrow(/LOG_LEVEL must be one of fatal, error/)
  expect(parse).toThrow(/REDIS_URL must be a URL that begins with redis:\/\/ or rediss:\/\//)
  expect(parse).toThrow(/INGEST_BATCH_MAX must be a whole number from 1 to 5000/)
  expect(parse).not.toThrow(/hunter/)
})

test('every limit of the contract can be set by its environment variable', () => {
  const byEnv = new Map(
    Object.entries(SETTINGS).map(([name, spec]) => [spec.env as string, name as keyof typeof SETTINGS]),
  )
  for (const limit of Object.values(LIMITS)) {
    const name = byEnv.get(limit.env)
    expect(name, limit.env).toBeDefined()
    expect(parseSettings(enough)[name!]).toBe(limit.value)
    expect(parseSettings({ ...enough, [limit.env]: '12' })[name!]).toBe(12)
  }
})

test('calls are kept for ever, or at least for as long as one of their events may come again', () => {
  const days = (given: string) => parseSettings({ ...enough, RETENTION_DAYS: given }).retentionDays
  expect([days('0'), days('91'), days('400')]).toEqual([0, 91, 400])
  for (const given of ['-1', '1', '90']) {
    expect(() => days(given)).toThrow('RETENTION_DAYS must be 0 or a whole number from 91 to 36500')
  }
})

test('networks and keys are checked, and never repeated', () => {
  const parse = (given: object) => parseSettings({ ...enough, ...given })
  expect(parse({ WEBHOOK_ALLOWED_NETWORKS: '10.0.0.0/8, fd00::/8' }).webhookAllowedNetworks).toEqual([
    '10.0.0.0/8',
    'fd00::/8',
  ])
  expect(parse({}).webhookDeniedNetworks).toEqual([])
  for (const given of ['10.0.0.1', '10.0.0.0/33', 'example.com/8', '10.0.0.0/8/8', '10.0.0.0/']) {
    expect(() => parse({ WEBHOOK_ALLOWED_NETWORKS: given }), given).toThrow('WEBHOOK_ALLOWED_NETWORKS must be networks')
  }
  const key = Buffer.alloc(32).toString('base64')
  expect(parse({ WEBHOOK_KEYS: `${key},${key}` }).webhookKeys).toEqual([Buffer.alloc(32), Buffer.alloc(32)])
  expect(() => parse({ WEBHOOK_KEYS: 'hunter2' })).toThrow(/WEBHOOK_KEYS must be keys of 32 bytes(?!.*hunter)/)
})

test('an optional setting that is left out, or empty, is undefined', () => {
  expect(parseSettings({ ...enough, DATABASE_REPLICA_URL: '' }).databaseReplicaUrl).toBeUndefined()
})

test('origins are taken as browsers send them', () => {
  const origins = (given: string) => parseSettings({ ...enough, CORS_ORIGINS: given }).corsOrigins
  expect([...origins('https://a.example.com, http://localhost:5173')]).toEqual([
    'https://a.example.com',
    'http://localhost:5173',
  ])
  expect(origins('')).toEqual(new Set())
  for (const given of [
    '*',
    'a.example.com',
    'https://a.example.com/',
    'https://a.example.com/path',
    'null',
    'file:///',
  ]) {
    expect(() => origins(given), given).toThrow('CORS_ORIGINS must be origins')
  }
})

test.each(['p@/w', 'p/w', 'p#w', 'p?w', '12/34', '12#4', 'p@w/x#y'])(
  'a password that is not percent-encoded is called so: %s',
  (password) => {
    const parse = (urls: object) => () => parseSettings({ ...enough, ...urls })
    const database = { DATABASE_URL: `postgres://hopwhistle_api:${password}@db.example.com:5432/hopwhistle` }
    expect(parse(database)).toThrow(/DATABASE_URL has a user or a password .* percent-encode .* @ is %40/)
    expect(parse({ REDIS_URL: `redis://:${password}@cache` })).toThrow(/REDIS_URL has a user or a password/)
    expect(parse(database)).not.toThrow(password)
    const encoded = `postgres://hopwhistle_api:${encodeURIComponent(password)}@db.example.com/hopwhistle`
    expect(parseSettings({ DATABASE_URL: encoded }).databaseUrl).toBe(encoded)
  },
)

test('the help names every setting', () => {
  const help = describeSettings()
  for (const { env } of Object.values(SETTINGS)) expect(help).toContain(env)
})

test('docs/configuration.md is up to date', () => {
  const file = new URL('../../../docs/configuration.md', import.meta.url)
  expect(readFileSync(file, 'utf8'), 'run npm run docs:configuration').toBe(settingsDocument())
})
