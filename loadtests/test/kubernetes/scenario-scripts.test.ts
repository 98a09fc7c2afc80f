import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SCENARIO_NAMES } from '@hopwhistle/contract/scenarios.ts'
import { describe, expect, test } from 'vitest'
import { MOST_BYTES, scenarioScripts, scriptFile } from '../../kubernetes/scenario-scripts.ts'
import { k6Path, withK6 } from '../scenarios/k6.ts'

test.each(SCENARIO_NAMES)('the files of %s fit a ConfigMap, and every import among them is there', (scenario) => {
  const scripts = scenarioScripts(scenario)
  const text = Object.values(scripts).join('\n')
  const imported = [...text.matchAll(/from '(\.[^']+)'/g)].map(([, path]) => path)
  expect(imported.length).toBeGreaterThan(10)
  expect(imported.filter((path) => !(path!.slice(2) in scripts))).toEqual([])
  expect(Object.keys(scripts).filter((name) => !/^[-._a-zA-Z0-9]+$/.test(name))).toEqual([])
  expect(Buffer.byteLength(JSON.stringify(scripts))).toBeLessThan(MOST_BYTES)
})

describe.skipIf(k6Path === undefined)(`as a ConfigMap mounts them${withK6}`, () => {
  test.each(SCENARIO_NAMES)('k6 runs %s', async (scenario) => {
    const folder = mount(scenarioScripts(scenario))
    const { stdout } = await promisify(execFile)(
      k6Path ?? 'k6',
      [
        'inspect',
        '--execution-requirements',
        join(folder, scriptFile(scenario)),
        ...env({ PARALLELISM: '2', RUN_ID: 'r' }),
      ],
      { maxBuffer: 1 << 26 },
    )
    expect(JSON.parse(stdout)).toMatchObject({ maxVUs: expect.any(Number), totalDuration: expect.any(String) })
    rmSync(folder, { recursive: true })
  })
})

const env = (values: Record<string, string>) =>
  Object.entries(values).flatMap(([name, value]) => ['-e', `${name}=${value}`])

/** As the kubelet does it: every file is a link to where the version in force lies. */
function mount(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'hopwhistle-configmap-'))
  mkdirSync(join(folder, '..version'))
  symlinkSync('..version', join(folder, '..data'))
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, '..version', name), text)
    symlinkSync(join('..data', name), join(folder, name))
  }
  return folder
}
