/**
 * The composition root: the only file that reads the environment, signals and exit codes.
 *
 * Stopping (SIGTERM, SIGINT) goes through these steps, so that a rolling deploy fails no request:
 *
 *   not ready ─▶ keep serving while load balancers notice ─▶ close sockets with 1012, spread out
 *   ─▶ stop listening, finish requests ─▶ commit and publish what was accepted ─▶ Redis ─▶ Postgres ─▶ exit 0
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { compose } from './compose.ts'
import { describeSettings, InvalidSettings, parseSettings } from './config/settings.ts'
import { createLog } from './telemetry/log.ts'
import { logConsole } from './telemetry/log-console.ts'

// Node's diagnostic reports leave out the environment, because it contains passwords.
process.report.excludeEnv = true

const EXIT = { ok: 0, failed: 1, usage: 2 } as const

if (process.argv.includes('--help')) {
  process.stdout.write(
    `Usage: node api/src/main.ts\n\nRuns one instance of the API. Environment:\n\n${describeSettings()}\n`,
  )
  process.exit(EXIT.ok)
}

function settingsOrExit() {
  try {
    return parseSettings(process.env)
  } catch (error) {
    if (!(error instanceof InvalidSettings)) throw error
    process.stderr.write(`${error.message}\n\nSee node api/src/main.ts --help\n`)
    process.exit(EXIT.usage)
  }
}

const settings = settingsOrExit()
const log = createLog({ level: settings.logLevel, instanceId: settings.instanceId })
// Libraries say some things on the console, and some as warnings of Node.
logConsole(log)
process.removeAllListeners('warning')
process.on('warning', (warning) => log.warn({ err: warning }, 'warning'))

process.on('unhandledRejection', (error) => {
  log.fatal({ err: error }, 'unhandled rejection')
  process.exit(EXIT.failed)
})

const instance = await compose(settings, log)

let stopping = false
async function stop(signal: string): Promise<void> {
  if (stopping) {
    log.warn({ signal }, 'second signal: stopping at once')
    process.exit(EXIT.failed)
  }
  stopping = true
  log.info({ signal }, 'shutting down')
  const tooLate = setTimeout(() => {
    log.error({ afterMs: settings.shutdownTimeoutMs }, 'shutdown took too long')
    process.exit(EXIT.failed)
  }, settings.shutdownTimeoutMs)
  instance.health.drain()
  await sleep(settings.shutdownDrainMs)
  await instance.close()
  clearTimeout(tooLate)
  log.info('stopped')
  process.exit(EXIT.ok)
}
process.on('SIGTERM', (signal) => void stop(signal))
process.on('SIGINT', (signal) => void stop(signal))

try {
  const address = await instance.listen()
  instance.health.ready()
  log.info(address, 'serving')
} catch (error) {
  log.fatal({ err: error }, `cannot listen on port ${settings.port}`)
  await instance.close().catch(() => {})
  process.exit(EXIT.failed)
}
