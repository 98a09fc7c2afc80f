/** Writes api/openapi.json from the routes: `npm run openapi`. `--check` only says whether it is up to date. */
import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { createAuthenticator } from '../access/authenticator.ts'
import { labelRoutes } from '../access/label-routes.ts'
import { createRates } from '../access/rates.ts'
import type { TenantLabels } from '../access/tenant-labels.ts'
import { tokenRoutes } from '../access/token-routes.ts'
import { createTurns } from '../access/turns.ts'
import { buildApp } from '../app.ts'
import type { Ingest } from '../calls/ingest.ts'
import { callRoutes } from '../calls/routes.ts'
import { parseSettings } from '../config/settings.ts'
import { createHealth } from '../health/health.ts'
import { liveRoutes } from '../live/routes.ts'
import type { Tokens } from '../postgres/tokens.ts'
import type { Callbacks } from '../providers/callbacks.ts'
import { providerRoutes, type TakesEvents } from '../providers/routes.ts'
import type { Exports } from '../reporting/exports.ts'
import type { Reports } from '../reporting/reports.ts'
import { reportingRoutes } from '../reporting/routes.ts'
import { createUnsent } from '../reporting/unsent.ts'
import { createLog } from '../telemetry/log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { webhookRoutes } from '../webhooks/routes.ts'

const file = new URL('../../openapi.json', import.meta.url)

const { values } = parseArgs({ options: { check: { type: 'boolean' }, help: { type: 'boolean' } } })
if (values.help === true) {
  process.stdout.write(
    'Usage: npm run openapi [-- --check]\n\nWrites api/openapi.json; with --check, exits 1 when it is out of date.\n',
  )
  process.exit(0)
}

const written = `${JSON.stringify(await describe(), null, 2)}\n`
if (values.check !== true) {
  await writeFile(file, written)
} else if ((await readFile(file, 'utf8').catch(() => '')) !== written) {
  process.stderr.write('api/openapi.json is out of date: run npm run openapi\n')
  process.exitCode = 1
}

/** The routes describe themselves without being served, so nothing behind them is opened. */
async function describe(): Promise<unknown> {
  const metrics = createMetrics()
  const settings = parseSettings({ DATABASE_URL: 'postgres://nobody@localhost/none' })
  const rates = createRates(1, undefined)
  const tokens = {} as Tokens
  const labels = {} as TenantLabels
  const turns = createTurns(() => 1)
  const { http } = await buildApp({
    log: createLog({ level: 'silent', instanceId: 'openapi' }),
    metrics,
    limits: { ...settings, bodiesBytes: 0 },
    access: { authenticator: createAuthenticator(async () => undefined, 0), rates, metrics },
    health: createHealth('openapi', () => ({})),
    surface: settings,
    capabilities: [
      callRoutes({ ingest: {} as Ingest, tokens, rates, labels }),
      providerRoutes({ callbacks: {} as Callbacks, events: {} as TakesEvents<unknown>, rates, tokens }),
      reportingRoutes({
        reports: {} as Reports,
        exports: {} as Exports,
        tokens,
        labels,
        unsent: createUnsent(0, metrics),
      }),
      liveRoutes(),
      tokenRoutes(async () => true, turns),
      labelRoutes(labels, turns),
      webhookRoutes(undefined),
    ],
  })
  const document = http.swagger()
  rates.stop()
  await http.close()
  return document
}
