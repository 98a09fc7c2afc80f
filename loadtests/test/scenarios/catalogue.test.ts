import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  BASELINE_SCENARIOS,
  PROFILE_NAMES,
  rateOf,
  SCENARIO_NAMES,
  shapeOf,
  targetsOf,
  trafficIn,
} from '@hopwhistle/contract/scenarios.ts'
import { expect, test } from 'vitest'
import { resultWith } from '../fixtures/result-with.ts'
import { schemaErrors } from './schema.ts'

const folder = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const text = (path: string) => readFileSync(folder(path), 'utf8')

test('every row has its script, and every script its row', () => {
  const scripts = readdirSync(folder('scenarios')).filter((name) => name.endsWith('.ts'))
  expect(scripts.map((name) => name.replace(/\.ts$/, '')).sort()).toEqual(SCENARIO_NAMES.toSorted())
})

const LIVE = ['subscribers', 'publishers', 'subscriberVUs', 'connectSeconds', 'drainSeconds']
const VUS = ['vus', 'maxVUs']

test.each(SCENARIO_NAMES)('the shape of %s suits what it carries, in each profile', (scenario) => {
  for (const profile of PROFILE_NAMES) {
    const shape = shapeOf(profile, scenario)
    const hasMessages = targetsOf(scenario).messages !== undefined
    const hasRequests = trafficIn(scenario).some((kind) => kind !== 'messages')
    expect(Object.keys(shape).sort()).toEqual(
      [
        'targetPerSecond',
        'rampSeconds',
        'peakSeconds',
        ...(hasMessages ? LIVE : []),
        ...(hasRequests ? VUS : []),
      ].sort(),
    )
    for (const [name, value] of Object.entries(shape)) expect(value, `${profile} ${name}`).toBeGreaterThan(0)
    if (profile === 'breakpoint') expect(shape.targetPerSecond).toBeGreaterThan(rateOf(scenario))
    else if (profile !== 'smoke') expect(shape.targetPerSecond).toBe(rateOf(scenario))
  }
})

test.each(SCENARIO_NAMES)('a result of %s is valid by the published schema', (scenario) => {
  expect(schemaErrors(resultWith({ scenario, runners: 2 }))).toEqual([])
})

test('the scripts that run all scenarios by hand run those of the baselines, in their order', () => {
  const [, shell] = /^for scenario in (.+); do$/m.exec(text('run-all.sh')) ?? []
  const [, powershell] = /^foreach \(\$scenario in (.+)\) \{$/m.exec(text('run-all.ps1')) ?? []
  expect(shell?.split(' ')).toEqual(BASELINE_SCENARIOS)
  expect(powershell?.split(', ').map((name) => name.replaceAll("'", ''))).toEqual(BASELINE_SCENARIOS)
})
