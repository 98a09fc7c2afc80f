import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { SCRAPE_JOBS } from '@hopwhistle/contract/metrics.ts'
import { DEFAULT_PORT } from '@hopwhistle/contract/routes.ts'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { SETTINGS } from '../../api/src/config/settings.ts'
import { CHECKOUT } from './run.ts'

type Service = {
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string | number>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
}

type ScrapeConfig = {
  readonly job_name: string
  readonly static_configs?: readonly { readonly targets: readonly string[] }[]
  readonly relabel_configs?: readonly { readonly target_label: string }[]
}

const read = (path: string) => readFileSync(join(CHECKOUT, path), 'utf8')
const { services } = parse(read('compose.yaml'), { merge: true }) as { services: Readonly<Record<string, Service>> }
const service = (name: string): Service => services[name] ?? expect.fail(`compose.yaml has no service ${name}`)

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

test('Prometheus in Docker finds every server under the names that boards and alerts select by', () => {
  const config = parse(read('compose/prometheus.yml'), { merge: true }) as {
    rule_files: readonly string[]
    scrape_configs: readonly ScrapeConfig[]
  }
  expect(config.scrape_configs.map(({ job_name }) => job_name)).toEqual(
    expect.arrayContaining(Object.values(SCRAPE_JOBS)),
  )
  for (const { job_name, static_configs = [], relabel_configs = [] } of config.scrape_configs) {
    for (const target of static_configs.flatMap(({ targets }) => targets)) service(target.split(':')[0] ?? '')
    if (job_name.startsWith('hopwhistle-'))
      expect(relabel_configs.map(({ target_label }) => target_label)).toEqual(['namespace', 'release'])
  }
  for (const file of config.rule_files) expect(read(`dashboards/rules/demo/${basename(file)}`)).toContain('groups:')
})

test('what a service in Docker is given of this checkout is there', () => {
  const given = Object.values(services).flatMap(({ volumes = [] }) => volumes.filter((one) => one.startsWith('./')))
  expect(given.length).toBeGreaterThan(5)
  for (const one of given) expect(existsSync(join(CHECKOUT, one.split(':')[0] ?? '')), one).toBe(true)
})

test('nothing is reachable from another machine', () => {
  const ports = Object.values(services).flatMap(({ ports = [] }) => ports)
  expect(ports.length).toBeGreaterThan(0)
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
})

test('Postgres in Docker starts by the scripts of the charts, and is given what they need', () => {
  for (const name of ['primary', 'replica']) {
    const { entrypoint = [], command = [], environment = {}, volumes = [] } = service(name)
    const file = `cdk8s/scripts/start-${name}.sh`
    expect(volumes).toContain(`./${file}:${entrypoint[1]}:ro`)
    for (const option of command) {
      expect(
        volumes.some((volume) => volume.endsWith(`:${option.split('=')[1]}:ro`)),
        option,
      ).toBe(true)
    }
    // What a script uses without a default; the image and the shell set the others.
    const used = new Set([...read(file).matchAll(/\$\{?([A-Z_]+)\b(?!:-)/g)].map(([, variable]) => variable as string))
    for (const given of ['PGDATA', 'HOSTNAME', 'KUBERNETES_SERVICE_HOST', 'POD']) used.delete(given)
    expect(Object.keys(environment)).toEqual(expect.arrayContaining([...used]))
  }
})
