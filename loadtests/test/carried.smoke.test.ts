/** The whole main job on a platform that does not reach a target. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { LoadtestResult } from '../bench/evidence/loadtest-result.ts'
import { bench } from './support/bench.ts'

test('where a target is not reached the answer is the rate that is carried, and the exit code 1', async () => {
  // The tenant may send 60 requests a second; 100 are the target of a smoke run.
  const here = bench({ TENANT_RATE_PER_SECOND: '60', HOPWHISTLE_NEIGHBOUR: 'any' })
  try {
    const results = `${here.tempDir}/results`
    const scenario = 'call-state-updates'
    const args = ['--profile', 'smoke', '--scenario', scenario, '--results-dir', results]
    const { code, stdout, stderr } = await here.run('baseline', ...args)
    expect(code, stdout + stderr).toBe(1)
    const { verdict, environment } = JSON.parse(readFileSync(`${results}/${scenario}.json`, 'utf8')) as LoadtestResult
    const { outcome, carried } = verdict!
    expect(outcome).toBe('missed')
    expect(carried?.ratePerSecond).toBeGreaterThan(0)
    expect(carried?.ratePerSecond).toBeLessThan(80)
    expect(stdout).toMatch(new RegExp(`^ {2}${scenario} +${carried?.ratePerSecond} upd/s ✗ ≥100`, 'm'))
    expect(stdout).toMatch(/^ {2}limited by +at \d+ a second: /m)
    expect(environment).toMatchObject({ neighbours: ['any'] })
  } finally {
    here.remove()
  }
})
