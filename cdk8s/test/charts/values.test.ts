import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hopwhistle } from '../../charts/hopwhistle.ts'
import { loadtests } from '../../charts/loadtests.ts'
import { monitoring } from '../../charts/monitoring.ts'
import { type HelmChart, synthesize } from '../../values/helm-chart.ts'
import type { Json } from '../../values/value.ts'
import { podsOf } from '../support/hardening.ts'
import { byName, chartFolder, helm, helmTemplate, NEEDS_HELM, parseManifests, runHelm } from '../support/helm.ts'

type Given = { readonly [name: string]: Json }
const platform = hopwhistle as unknown as HelmChart
const watching = monitoring as unknown as HelmChart
const loading = loadtests as unknown as HelmChart
const scheduled = (schedule: Given): Given => ({ schedule: { enabled: true, ...schedule } })

const NEVER_TOGETHER = {
  requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: {} }],
}

describe.skipIf(helm === undefined)(`values that the API server would take${NEEDS_HELM}`, () => {
  const taken: readonly [string, Given][] = [
    ['CPU as a number', { api: { resources: { requests: { cpu: 0.5 }, limits: { cpu: 1 } } } }],
    [
      'no limit of CPU',
      { api: { resources: { limits: { cpu: null } } }, migrations: { resources: { limits: { cpu: null } } } },
    ],
    ['tolerations of every taint', { pods: { tolerations: [{ operator: 'Exists' }] } }],
    ['nodes that must not be shared', { pods: { affinity: { podAntiAffinity: NEVER_TOGETHER } } }],
    [
      'requests that are the limits',
      { redis: { resources: { requests: { cpu: '2000m', memory: '1G' }, limits: { cpu: 2, memory: '1000M' } } } },
    ],
  ]
  test.each(taken)('are rendered: %s', async (_, values) => {
    const rendered = await helmTemplate(chartFolder(hopwhistle), 'mine', values)
    expect(byName(rendered)).toEqual(byName(synthesize(hopwhistle, { name: 'mine', namespace: 'here', values })))
  })

  test('a limit of CPU that is null is none', async () => {
    const rendered = await helmTemplate(chartFolder(hopwhistle), 'mine', {
      api: { resources: { limits: { cpu: null } } },
    })
    const api = rendered
      .filter(({ kind }) => kind === 'Deployment')
      .flatMap(podsOf)
      .flatMap(({ containers }) => containers)
    expect(api.find(({ name }) => name === 'api')?.resources).toEqual({
      requests: { cpu: '500m', memory: '256Mi' },
      limits: { memory: '768Mi' },
    })
  })
})

describe.skipIf(helm === undefined)(`values that the API server would refuse${NEEDS_HELM}`, () => {
  const refused: readonly [HelmChart, Given, RegExp][] = [
    [
      platform,
      { api: { autoscaling: { enabled: true, min: 5, max: 4 } } },
      /api.autoscaling.min is 5 and api.autoscaling.max is 4/,
    ],
    [
      platform,
      { api: { service: { nodePort: 30001 } } },
      /api.service.nodePort is 30001 and api.service.type is ClusterIP/,
    ],
    [watching, { grafana: { nodePort: 30001 } }, /grafana.nodePort is 30001 and grafana.serviceType is ClusterIP/],
    [watching, { prometheus: { nodePort: 30001 } }, /prometheus.nodePort is 30001/],
    [
      platform,
      { api: { resources: { requests: { cpu: 3 } } } },
      /api.resources: requests.cpu is 3, above limits.cpu, 2/,
    ],
    [
      platform,
      { postgres: { replica: { resources: { requests: { memory: '64Gi' } } } } },
      /postgres.replica.resources: requests.memory is 64Gi/,
    ],
    [watching, { redis: { resources: { requests: { cpu: '501m' } } } }, /redis.resources: requests.cpu is 501m/],
    [platform, { podLabels: { team: 'calls and more' } }, /podLabels\/team/],
    [platform, { podLabels: { 'the team': 'calls' } }, /the team/],
    [platform, { pods: { labels: { team: 'x'.repeat(64) } } }, /pods\/labels\/team/],
    [platform, { redis: { pod: { labels: { team: '-' } } } }, /redis\/pod\/labels\/team/],
    [platform, { postgres: { storage: '0Gi' } }, /postgres\/storage/],
    [watching, { prometheus: { storage: '0.0' } }, /prometheus\/storage/],
    [platform, { api: { resources: { limits: { memory: '0' } } } }, /limits\/memory/],
    [platform, { api: { resources: { limits: { cpu: 0 } } } }, /limits\/cpu/],
    [platform, { api: { service: { type: 'NodePort', nodePort: 80 } } }, /api\/service\/nodePort/],
    [watching, { grafana: { serviceType: 'NodePort', nodePort: 1 } }, /grafana\/nodePort/],
    [platform, { pods: { priorityClassName: 'Very High' } }, /pods\/priorityClassName/],
    [platform, { redis: { pod: { serviceAccountName: 'A B' } } }, /redis\/pod\/serviceAccountName/],
    [platform, { postgres: { storageClass: 'A B' } }, /postgres\/storageClass/],
    [platform, { credentials: { existingSecret: 'My_Secret' } }, /credentials\/existingSecret/],
    [platform, { api: { image: '' } }, /api\/image/],
    [platform, { pods: { extraEnv: [{ name: 'A=B', value: 'c' }] } }, /pods\/extraEnv\/0\/name/],
    [platform, { pods: { tolerations: [{ operator: 'Equals', key: 'a' }] } }, /pods\/tolerations\/0\/operator/],
    [platform, { api: { tolerations: [{ effect: 'NoSchedule' }] } }, /api\/tolerations\/0/],
    [platform, { pods: { topologySpreadConstraints: [{ topologyKey: 'zone' }] } }, /topologySpreadConstraints\/0/],
    [platform, { pods: { affinity: { nodeAfinity: {} } } }, /nodeAfinity/],
    [platform, { networkPolicies: { apiFrom: [{ selector: {} }] } }, /networkPolicies\/apiFrom\/0/],
    [platform, { postgres: { backup: { enabled: true, schedule: '17 25 * * *' } } }, /postgres\/backup\/schedule/],
    [loading, scheduled({ cron: 'every night' }), /schedule\/cron/],
    [loading, scheduled({ cron: '0 3 * * 8' }), /schedule\/cron/],
    [loading, scheduled({ timeZone: 'Central European' }), /schedule\/timeZone/],
    [loading, scheduled({ timeZone: 'Nowhere/City' }), /schedule\/timeZone/],
    [loading, { runnerNodes: { nodeSelector: { pool: 'a b' } } }, /runnerNodes\/nodeSelector\/pool/],
  ]
  test.each(refused)('are refused: %#', async (chart, values, message) => {
    await expect(helmTemplate(chartFolder(chart), 'mine', values)).rejects.toThrow(message)
  })
})

test
  .skipIf(helm === undefined)
  .each(['0 3 * * *', '*/15 0-6,22-23 1,15 JAN-MAR mon-fri', '05 04 01 01 0', '@daily', '@every 6h'])(
  `a schedule may be as Kubernetes takes it: %s${NEEDS_HELM}`,
  async (cron) => {
    const rendered = await helmTemplate(
      chartFolder(loadtests),
      'mine',
      scheduled({ cron, timeZone: 'America/Port-au-Prince' }),
    )
    expect(rendered.find(({ kind }) => kind === 'CronJob')?.spec).toMatchObject({ schedule: cron })
  },
)

test.skipIf(helm === undefined)(
  `an umbrella chart turns its parts on and off, and shares values with them${NEEDS_HELM}`,
  async () => {
    const umbrella = chartFolder(hopwhistle)
    const part = join(umbrella, 'charts', 'hopwhistle')
    mkdirSync(dirname(part), { recursive: true })
    mkdirSync(part)
    for (const file of ['Chart.yaml', 'values.yaml', 'values.schema.json', 'templates', 'README.md'])
      renameSync(join(umbrella, file), join(part, file))
    const dependencies = [{ name: 'hopwhistle', version: hopwhistle.version, condition: 'hopwhistle.enabled' }]
    writeFileSync(
      join(umbrella, 'Chart.yaml'),
      JSON.stringify({ apiVersion: 'v2', name: 'calls', version: '1.0.0', dependencies }),
    )
    const render = async (values: Given) => {
      writeFileSync(join(umbrella, 'given.json'), JSON.stringify(values))
      return parseManifests(await runHelm(['template', 'mine', umbrella, '--values', join(umbrella, 'given.json')]))
    }
    const global = { imageRegistry: 'mirror.example.com', imagePullSecrets: ['registry'], somebodyElses: true }
    const pods = (await render({ global, hopwhistle: { enabled: true } })).flatMap(podsOf)
    expect(pods.length).toBeGreaterThan(3)
    for (const { spec, containers } of pods) {
      expect(spec.imagePullSecrets).toEqual([{ name: 'registry' }])
      for (const { image } of containers) expect(image).toMatch(/^mirror\.example\.com\//)
    }
    expect(await render({ hopwhistle: { enabled: false } })).toEqual([])
  },
)
