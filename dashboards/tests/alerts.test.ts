import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onPath } from '@hopwhistle/platform/machine/run-program.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { alertGroups } from '../src/alerts/alert-groups.ts'
import { alertRuleGroups, recordingRuleGroups, ruleFile } from '../src/rules/prometheus-rules.ts'
import { PRODUCTION, SCALES } from '../src/scale.ts'
import { kubernetesCases } from './alerts/kubernetes.ts'
import { limitCases } from './alerts/limits.ts'
import { podTests } from './alerts/pod-tests.ts'
import { postgresCases } from './alerts/postgres.ts'
import { promiseCases } from './alerts/promises.ts'
import { promtoolTests } from './alerts/promtool-tests.ts'
import { recordingTests } from './alerts/recording-tests.ts'
import { redisAndLiveCases } from './alerts/redis-and-live.ts'
import { targetCases } from './alerts/targets.ts'
import { upkeepCases } from './alerts/upkeep.ts'
import { webhookCases } from './alerts/webhooks.ts'

const CASES = [
  ...promiseCases,
  ...limitCases,
  ...postgresCases,
  ...redisAndLiveCases,
  ...upkeepCases,
  ...webhookCases,
  ...kubernetesCases,
  ...targetCases,
]
const alerts = alertGroups(PRODUCTION).flatMap((group) => group.alerts)
/** Needs promtool, from the Debian package `prometheus`. */
const withPromtool = test.skipIf(onPath('promtool') === undefined)

let dir = ''
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'hopwhistle-rules-'))
  for (const scale of SCALES) {
    writeFileSync(join(dir, `alerts-${scale.name}.yaml`), ruleFile(alertRuleGroups(scale)))
    writeFileSync(join(dir, `recording-${scale.name}.yaml`), ruleFile(recordingRuleGroups(scale)))
  }
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('every alert is seen firing and seen not firing', () => {
  const seen = new Set(CASES.map(({ alert }) => alert))
  expect(alerts.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([])
})

withPromtool('promtool takes the rules of every scale', () => {
  for (const { name } of SCALES)
    for (const file of [`alerts-${name}`, `recording-${name}`])
      expect(promtool('check', 'rules', '--lint-fatal', `${file}.yaml`)).toMatch(/SUCCESS: \d+ rules found/)
})

withPromtool(
  'each alert fires when it should, says what it should, and stays quiet otherwise',
  () => {
    writeFileSync(join(dir, 'tests.yaml'), promtoolTests(CASES, alerts, ['alerts-production.yaml']))
    expect(promtool('test', 'rules', 'tests.yaml')).toContain('SUCCESS')
  },
  120_000,
)

withPromtool('burn rates, budgets and used parts of limits are computed from what the API counts', () => {
  writeFileSync(join(dir, 'recording.yaml'), recordingTests(['recording-production.yaml']))
  expect(promtool('test', 'rules', 'recording.yaml')).toContain('SUCCESS')
})

withPromtool('the board Limits shows pods and autoscalers, whether or not the runtime names containers', () => {
  writeFileSync(join(dir, 'pods.yaml'), podTests())
  expect(promtool('test', 'rules', 'pods.yaml')).toContain('SUCCESS')
})

withPromtool('an alert that does not fire fails the test', () => {
  const [first] = promiseCases
  const broken = [{ ...first!, fires: first!.isQuiet }]
  writeFileSync(join(dir, 'broken.yaml'), promtoolTests(broken, alerts, ['alerts-production.yaml']))
  expect(() => promtool('test', 'rules', 'broken.yaml')).toThrow(/FAILED/)
})

function promtool(...args: readonly string[]): string {
  try {
    return execFileSync('promtool', args, { cwd: dir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`promtool ${args.join(' ')}:\n${stdout}${stderr}`)
  }
}
