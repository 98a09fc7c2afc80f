import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LIMITS } from '@hopwhistle/contract/limits.ts'
import { DEFAULT_PORT } from '@hopwhistle/contract/routes.ts'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { SETTINGS } from '../../api/src/config/settings.ts'
import { CHECKOUT } from './run.ts'

type Service = {
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string | number>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
}

const read = (path: string) => readFileSync(join(CHECKOUT, path), 'utf8')
const { services } = parse(read('compose.yaml'), { merge: true }) as { services: Readonly<Record<string, Service>> }
const service = (name: string): Service => services[name] ?? expect.fail(`compose.yaml has no service ${name}`)

test('the servers in Docker have the limits of the contract', () => {
  const redis = service('redis').command ?? []
  const after = (flag: string) => Number(redis[redis.indexOf(flag) + 1])
  expect(after('--maxmemory')).toBe(LIMITS.redis_memory.value)
  expect(after('--maxclients')).toBe(LIMITS.redis_connections.value)
  for (const name of ['primary', 'replica'])
    expect(service(name).command).toContain(`-cmax_connections=${LIMITS.postgres_connections.value}`)
})

test('an API instance in Docker is given only settings that exist', () => {
  const known = Object.values(SETTINGS).map(({ env }): string => env)
  expect(known).toEqual(expect.arrayContaining(Object.keys(service('api').environment ?? {})))
})

test('the balancer and Prometheus ask the ports that the API listens on', () => {
  const { PORT, ADMIN_PORT } = service('api').environment ?? {}
  expect(PORT).toBe(DEFAULT_PORT)
  expect(read('compose/haproxy.cfg')).toContain(`api:${PORT} check`)
  expect(read('compose/haproxy.cfg')).toContain(`bind :${PORT}`)
  expect(read('compose/prometheus.yml')).toContain(`port: ${ADMIN_PORT}`)
})

test('nothing is reachable from another machine', () => {
  const ports = Object.values(services).flatMap(({ ports = [] }) => ports)
  expect(ports.length).toBeGreaterThan(0)
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
})
