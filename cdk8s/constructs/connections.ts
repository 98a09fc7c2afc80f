import { LIMITS } from '@hopwhistle/contract/limits.ts'
import type { HopwhistleValues } from '../chart-values/hopwhistle-values.ts'
import { SETTING_VARIABLES } from '../chart-values/setting-fields.ts'
import { both, either, not } from '../values/compute.ts'
import { when } from '../values/when.ts'
import { REDIS_CA_FILE } from './authorities.ts'
import type { Credentials } from './credentials.ts'
import { given } from './given.ts'
import { PRIMARY, REPLICA } from './postgres-names.ts'
import { POSTGRES_PORT } from './postgres-server.ts'
import { REDIS, REDIS_PORT, redisMaxMemoryBytes } from './redis.ts'

/** Environment variables that lead to Postgres and Redis, those of this chart or external ones. No value is a secret. */
export function connections(values: HopwhistleValues, credentials: Credentials) {
  const { postgres, redis } = values
  const ofSecret = (name: string, secret: typeof postgres.external.existingSecret, key: string, optional = false) => ({
    name,
    valueFrom: { secretKeyRef: { name: secret, key, ...(optional ? { optional } : {}) } },
  })
  const url = (user: string, password: string, host: string) =>
    `postgres://${user}:$(${password})@${host}:${POSTGRES_PORT}/hopwhistle`
  const external = (name: string, key: string) => ofSecret(name, postgres.external.existingSecret, key)
  const replicated = either(
    both(postgres.external.enabled, postgres.external.reader),
    both(not(postgres.external.enabled), postgres.replica.enabled),
  )

  const apiPassword = credentials.variable('API_DATABASE_PASSWORD', 'api-password')
  const writer = [
    // First the password: Kubernetes puts a variable into those that come after it.
    when(not(postgres.external.enabled), apiPassword),
    when(postgres.external.enabled, external('DATABASE_URL', 'writer-url'), {
      name: 'DATABASE_URL',
      value: url('hopwhistle_api', 'API_DATABASE_PASSWORD', PRIMARY.name),
    }),
  ]
  const reader = when(
    replicated,
    when(postgres.external.enabled, external('DATABASE_REPLICA_URL', 'reader-url'), {
      name: 'DATABASE_REPLICA_URL',
      value: url('hopwhistle_api', 'API_DATABASE_PASSWORD', REPLICA.name),
    }),
  )
  const migration = [
    when(not(postgres.external.enabled), credentials.variable('OWNER_DATABASE_PASSWORD', 'owner-password')),
    when(postgres.external.enabled, external('MIGRATION_DATABASE_URL', 'migration-url'), {
      name: 'MIGRATION_DATABASE_URL',
      value: url('postgres', 'OWNER_DATABASE_PASSWORD', PRIMARY.name),
    }),
    when(
      postgres.external.enabled,
      ofSecret('API_DATABASE_PASSWORD', postgres.external.existingSecret, 'api-password', true),
      apiPassword,
    ),
    when(
      postgres.external.enabled,
      ofSecret('MONITOR_DATABASE_PASSWORD', postgres.external.existingSecret, 'monitor-password', true),
      credentials.variable('MONITOR_DATABASE_PASSWORD', 'monitor-password'),
    ),
  ]
  const redisUrl = [
    when(not(redis.external.enabled), credentials.variable('REDIS_PASSWORD', 'redis-password')),
    when(redis.external.enabled, ofSecret('REDIS_URL', redis.external.existingSecret, 'url'), {
      name: 'REDIS_URL',
      value: `redis://:$(REDIS_PASSWORD)@${REDIS.name}:${REDIS_PORT}`,
    }),
    when(both(redis.external.enabled, given(redis.external.caSecret)), { name: 'REDIS_CA_FILE', value: REDIS_CA_FILE }),
    when(both(redis.external.enabled, given(redis.external.clusterNodes)), {
      name: 'REDIS_CLUSTER_NODES',
      value: redis.external.clusterNodes,
    }),
  ]
  const limits = [
    { name: LIMITS.postgres_connections.env, value: `${postgres.maxConnections}` },
    { name: LIMITS.redis_connections.env, value: `${redis.maxClients}` },
    { name: LIMITS.redis_memory.env, value: `${redisMaxMemoryBytes(values)}` },
  ]
  const settings = SETTING_VARIABLES.map(({ name, env }) => ({ name: env, value: `${values.api.settings[name]}` }))
  return { writer, reader, migration, redis: redisUrl, settings: [...limits, ...settings], replicated }
}
