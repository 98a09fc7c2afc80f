import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CHECKOUT, run } from './run.ts'
import { scratchFolder } from './scratch-folder.ts'

const NOWHERE = 'api/src/nowhere.ts'
const ROOTS = [
  'api',
  'cdk8s',
  'client',
  'chaos',
  'comparisons',
  'contract',
  'dashboards',
  'loadtests',
  'platform',
  'tooling',
]

/** A rule, and two files of which the first may not import the second. */
const FORBIDDEN: readonly (readonly [rule: string, from: string, to: string])[] = [
  ['contract-imports-nothing', 'contract/calls.ts', 'api/src/config/settings.ts'],
  ['settings-follow-from-the-contract', 'platform/settings/redis.ts', 'platform/start.ts'],
  ['platform-knows-no-user', 'platform/start.ts', 'loadtests/bench/main.ts'],
  ['adapters-know-no-capability', 'api/src/postgres/pool.ts', 'api/src/calls/ingest.ts'],
  ['adapters-know-no-capability', 'api/src/redis/cache.ts', 'api/src/reporting/reports.ts'],
  ['calls-stands-alone', 'api/src/calls/ingest.ts', 'api/src/live/live.ts'],
  ['reporting-stands-alone', 'api/src/reporting/reports.ts', 'api/src/calls/ingest.ts'],
  ['live-stands-alone', 'api/src/live/live.ts', 'api/src/reporting/reports.ts'],
  ['providers-stands-alone', 'api/src/providers/routes.ts', 'api/src/calls/ingest.ts'],
  ['webhooks-stands-alone', 'api/src/webhooks/webhooks.ts', 'api/src/live/live.ts'],
  ['only-composition-knows-everyone', 'api/src/http/hooks.ts', 'api/src/live/live.ts'],
  ['nobody-imports-composition', 'api/src/calls/routes.ts', 'api/src/app.ts'],
  ['main-and-commands-are-started', 'api/src/app.ts', 'api/src/main.ts'],
  ['api-stands-alone', 'api/src/app.ts', 'loadtests/bench/main.ts'],
  ['api-stands-alone', 'api/src/app.ts', 'platform/settings/redis.ts'],
  ['client-runs-in-browsers', 'client/src/client.ts', 'loadtests/bench/main.ts'],
  ['scenarios-run-inside-k6', 'loadtests/scenarios/redis-pubsub.ts', 'loadtests/bench/main.ts'],
  ['scenarios-run-inside-k6', 'loadtests/scenarios/lib/text.ts', 'api/src/app.ts'],
  ['bench-measures-from-outside', 'loadtests/bench/main.ts', 'api/src/app.ts'],
  ['test-runs-are-plain-objects', 'loadtests/kubernetes/test-run.ts', 'loadtests/bench/main.ts'],
  ['load-tests-are-nobodys-library', 'cdk8s/charts/chart.ts', 'loadtests/bench/main.ts'],
  ['load-tests-are-nobodys-library', 'chaos/chaos.ts', 'loadtests/scenarios/lib/text.ts'],
  ['load-tests-are-nobodys-library', 'comparisons/record.ts', 'loadtests/bench/main.ts'],
  ['only-charts-render-test-runs', 'chaos/chaos.ts', 'loadtests/kubernetes/test-run.ts'],
  ['comparisons-stand-alone', 'chaos/chaos.ts', 'comparisons/record.ts'],
  ['only-chaos-shares-the-generator', 'tooling/check.ts', 'comparisons/generator/load.ts'],
  ['statistics-are-pure', 'comparisons/versions/statistics/decide.ts', 'comparisons/record.ts'],
  ['platform-knows-no-user', 'platform/start.ts', 'comparisons/record.ts'],
  ['bench-measures-from-outside', 'comparisons/record.ts', 'api/src/app.ts'],
  ['platform-tools-imports-lower-folders', 'platform/tools/find.ts', 'platform/stack/start.ts'],
  ['bench-findings-imports-lower-folders', 'loadtests/bench/findings/find.ts', 'loadtests/bench/judge/judge.ts'],
  ['api-access-imports-lower-folders', 'api/src/access/rates.ts', 'api/src/http/hooks.ts'],
  ['api-timing-imports-lower-folders', 'api/src/timing/repeat.ts', 'api/src/postgres/pool.ts'],
  ['comparisons-generator-imports-lower-folders', 'comparisons/generator/load.ts', 'comparisons/measure/loaded.ts'],
  ['chaos-faults-imports-lower-folders', 'chaos/faults/fault.ts', 'chaos/overload/flood.ts'],
  ['dashboards-alerts-imports-lower-folders', 'dashboards/src/alerts/alert.ts', 'dashboards/src/boards/board.ts'],
  ['cdk8s-constructs-imports-lower-folders', 'cdk8s/constructs/api.ts', 'cdk8s/charts/chart.ts'],
  ['document-chart-imports-lower-folders', 'platform/document/chart/bars.ts', 'platform/document/page/page.ts'],
  ['change-points-are-pure', 'loadtests/bench/history/change-points/find.ts', 'loadtests/bench/judge/judge.ts'],
  ['nobody-imports-charts', 'tooling/check.ts', 'charts/values.ts'],
  ['no-test-code-in-programs', 'api/src/app.ts', 'api/test/helper.ts'],
  ['no-cycles', 'api/src/config/a.ts', 'api/src/config/a.ts'],
  ['every-import-is-found', 'api/src/app.ts', NOWHERE],
]

/** All of them at once, in one folder that breaks every rule. */
const everything = test.extend('output', { scope: 'file' }, async () => {
  const importsOf = Map.groupBy(FORBIDDEN, ([, from]) => from)
  const paths = FORBIDDEN.flatMap(([, from, to]) => [from, to]).filter((path) => path !== NOWHERE)
  const files = paths.map((path) => {
    const imports = (importsOf.get(path) ?? []).map(
      ([, , to], i) => `import type { Thing as T${i} } from '${relative(path, to)}'`,
    )
    return [path, `${imports.join('\n')}\nexport type Thing = 1\n`] as const
  })
  return (await cruise(Object.fromEntries(files))).output
})

everything.for(FORBIDDEN)('%s: %s may not import %s', ([rule, from, to], { output }) => {
  const shown = rule === 'no-cycles' ? '\n' : `${to === NOWHERE ? relative(from, to) : to}\n`
  expect(output).toContain(`error ${rule}: ${from} → ${shown}`)
})

test('every-package-is-declared: an undeclared package cannot be imported', async () => {
  const { code, output } = await cruise({
    'package.json': '{ "name": "scratch", "dependencies": {} }',
    'api/src/app.ts': "import pg from 'pg'\nexport const pool = pg.Pool\n",
  })
  expect(output).toContain('error every-package-is-declared: api/src/app.ts')
  expect(code).not.toBe(0)
})

test('scenarios-run-inside-k6: a scenario has no Node modules', async () => {
  const { output } = await cruise({
    'loadtests/scenarios/x.ts':
      "import { readFileSync } from 'node:fs'\nimport http from 'k6/http'\nexport { http, readFileSync }\n",
  })
  expect(output).toContain('error scenarios-run-inside-k6: loadtests/scenarios/x.ts → fs')
  expect(output).not.toContain('k6/http')
})

test('a checkout below a folder named test passes, wherever its packages are', { timeout: 120_000 }, async () => {
  const packages = scratchFolder({})
  cpSync(join(CHECKOUT, 'node_modules', '@types', 'k6'), join(packages, 'test', 'node_modules', '@types', 'k6'), {
    recursive: true,
  })
  const files = { 'loadtests/scenarios/x.ts': "import http from 'k6/http'\nexport { http }\n" }
  const { code, output } = await cruise(files, join(packages, 'test', 'node_modules'))
  expect(output).toContain('no dependency violations found')
  expect(code).toBe(0)
})

test('what runs one way passes', async () => {
  const { code, output } = await cruise({
    'contract/calls.ts': 'export type Call = 1\n',
    'api/src/postgres/pool.ts': "import type { Call } from '../../../contract/calls.ts'\nexport type Pool = Call\n",
    'api/src/calls/ingest.ts': "import type { Pool } from '../postgres/pool.ts'\nexport type Ingest = Pool\n",
    'api/src/app.ts': "import type { Ingest } from './calls/ingest.ts'\nexport type App = Ingest\n",
    'loadtests/scenarios/x.ts': "import type { Call } from '../../contract/calls.ts'\nexport type X = Call\n",
  })
  expect(output).toContain('no dependency violations found')
  expect(code).toBe(0)
})

async function cruise(files: Readonly<Record<string, string>>, packages = join(CHECKOUT, 'node_modules')) {
  const folder = scratchFolder({ 'package.json': '{ "name": "scratch" }', ...files })
  symlinkSync(packages, join(folder, 'node_modules'))
  const roots = ROOTS.filter((root) => Object.keys(files).some((path) => path.startsWith(`${root}/`)))
  return run('depcruise', ['--config', join(CHECKOUT, '.dependency-cruiser.mjs'), ...roots], { cwd: folder })
}

function relative(from: string, to: string): string {
  return `${'../'.repeat(from.split('/').length - 1)}${to}`
}
