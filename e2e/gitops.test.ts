import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ask } from '@hopwhistle/platform/kubernetes/programs.ts'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { deployEnvironment } from './support/deploy.ts'
import { type Platform, platform } from './support/platform.ts'
import { took } from './support/took.ts'

const CHART = 'charts/hopwhistle'
const SMALL = ['--set', 'api.replicas=1,postgres.replica.enabled=false']
/** Another version runs other Jobs and other pods. */
const NEXT = ['--set', 'podLabels.version=next']

let hopwhistle: Platform
let image: string
beforeAll(async () => {
  hopwhistle = await platform()
  const { spec } = await hopwhistle.apiDeployment()
  image = spec!.template.spec!.containers[0]!.image!
})

const kubectl = (...args: readonly string[]) => ask('kubectl', ['--namespace', hopwhistle.namespace, ...args])
const valuesOf = () => [
  ...deployEnvironment(hopwhistle.namespace)
    .VALUES!.split(',')
    .flatMap((file) => ['--values', file]),
  ...SMALL,
  '--set',
  `api.image=${image}`,
]
const helm = (verb: readonly string[], chart: string, ...more: readonly string[]) =>
  ask('helm', [...verb, chart, '--namespace', hopwhistle.namespace, ...valuesOf(), ...more])
const passwordsOf = async (release: string) =>
  JSON.parse(await kubectl('get', 'secret', `${release}-credentials`, '--output', 'json')).data
const ready = (release: string) => kubectl('rollout', 'status', `deployment/${release}-api`, '--timeout', '200s')

test('helm template and kubectl apply install a version and then the next one, with the passwords of the first', async () => {
  const release = 'gitops'
  const rendered = (...more: readonly string[]) => helm(['template', release], CHART, ...more)
  const apply = (text: string) =>
    ask('kubectl', ['--namespace', hopwhistle.namespace, 'apply', '-f', '-'], { input: text })
  const [first, next] = [await rendered(), await rendered(...NEXT)]
  onTestFinished(async () => {
    await ask('kubectl', ['--namespace', hopwhistle.namespace, 'delete', '--wait=false', '-f', '-'], { input: next })
  })
  expect(await rendered()).toBe(first)

  await apply(first)
  await took('an installation by kubectl apply', () => ready(release))
  const passwords = await passwordsOf(release)
  expect(Object.keys(passwords)).toHaveLength(6)

  await apply(next)
  await took('the next version by kubectl apply', () => ready(release))
  expect(await passwordsOf(release)).toEqual(passwords)
  const labelled = ['--selector', `app.kubernetes.io/instance=${release},version=next`]
  expect(await kubectl('get', 'pods', ...labelled, '--output', 'name')).toContain(`pod/${release}-api-`)
  await kubectl(
    'wait',
    '--for=condition=complete',
    'job',
    '--selector',
    `app.kubernetes.io/instance=${release}`,
    '--timeout',
    '100s',
  )
})

test('an upgrade of a release whose passwords Helm made keeps them, and adds those that are new', async () => {
  const release = 'before'
  const chart = chartBefore()
  onTestFinished(async () => {
    await hopwhistle.uninstall(release)
  })
  await helm(['install', release], chart, '--wait', '--timeout', '4m')
  const before = await passwordsOf(release)
  expect(before).not.toHaveProperty('grafana-password')
  await took('the upgrade', () =>
    helm(['upgrade', release], CHART, ...NEXT, '--wait', '--wait-for-jobs', '--timeout', '4m'),
  )
  expect(await passwordsOf(release)).toEqual({ ...before, 'grafana-password': expect.stringMatching(/.{32,}/) })
})

/** The chart as it was when Helm made the passwords. */
function chartBefore(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hopwhistle-chart-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(CHART, folder, { recursive: true })
  const templates = join(folder, 'templates')
  for (const file of readdirSync(templates)) if (file.startsWith('credentials-')) rmSync(join(templates, file))
  const keys = ['owner', 'api', 'replication', 'monitor', 'redis'].map(
    (key) => `  ${key}-password: {{ randAlphaNum 32 | b64enc }}\n`,
  )
  writeFileSync(
    join(templates, 'secret.yaml'),
    `apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}-credentials
  annotations: { helm.sh/resource-policy: keep }
data:
${keys.join('')}`,
  )
  return folder
}
