import { DEMO_API_KEY } from '@hopwhistle/contract/demo.ts'
import { DEFAULT_PORT, ROUTES } from '@hopwhistle/contract/routes.ts'
import type { Command } from '../command-line/command.ts'
import { EXIT, Failure } from '../command-line/failure.ts'
import { parseOptions, wholeNumber } from '../command-line/parse-options.ts'
import { isAlive } from '../machine/process-identity.ts'
import { besideK6 } from '../stack/api-instances.ts'
import { startGuard } from '../stack/guard.ts'
import { readInstances } from '../stack/how-many-instances.ts'
import type { MonitoringDetails, StackDetails } from '../stack/stack-record.ts'
import { readRecord, stackFolder } from '../stack/stack-record.ts'
import { startStack } from '../stack/start-stack.ts'
import { runningOf, stopStack } from '../stack/stop-stack.ts'
import { findMonitoring } from '../tools/find-monitoring.ts'
import { findRedis } from '../tools/find-redis.ts'

export const up: Command = {
  summary: 'start the platform on this machine and leave it running',
  help: `Usage: main.ts up [--empty] [--monitor]

Starts a Postgres primary and its streaming replica, Redis and the API, migrates, loads the demo data, and
returns; \`make down\` stops all of it. It is safe to run twice.

  --empty         without the demo data, so without any key
  --monitor       with Prometheus, its exporters, and Grafana where it is installed

Environment:
  PORT            port of the API; ${DEFAULT_PORT} if not given
  HOST            its address; 127.0.0.1 if not given
  API_INSTANCES   instances that share the port; one for every two cores, at most 3, if not given (outside Linux always 1)
  RUNBOOKS_URL    address of the runbooks in alerts; Grafana, or files of this checkout, if not given
  HOPWHISTLE_POSTGRES_BIN   bin folder of another Postgres, 15 or newer
`,
  async run(args, { terminal, signal, print }) {
    const { values } = parseOptions(args, {
      empty: { type: 'boolean', default: false },
      monitor: { type: 'boolean', default: false },
    })
    const port = wholeNumber('PORT', process.env.PORT || String(DEFAULT_PORT), 1, 65_535)
    const instances = readInstances()
    const dir = stackFolder()
    const before = readRecord(dir)
    if (before !== undefined) {
      if (before.by !== undefined && isAlive(before.by)) {
        throw new Failure(`the stack is being started by another command (process ${before.by.pid}); wait for it`)
      }
      const running = runningOf(before)
      if (before.details !== undefined && running.length === before.processes.length) {
        if (values.monitor && before.details.monitoring === undefined) {
          throw new Failure('Hopwhistle runs without monitoring; restart it: make down up MONITOR=1')
        }
        print(`Hopwhistle is already up.\n\n${addresses(before.details)}`)
        return EXIT.ok
      }
      terminal.step(`  ✓ Removed the remains of the stack of ${before.startedAt} (${running.length} processes left)`)
      await stopStack(dir, before)
    }
    const redisServer = await findRedis(terminal, signal)
    const monitoring = values.monitor ? await findMonitoring(terminal, signal) : undefined
    const guard = startGuard()
    try {
      const details = await startStack({
        dir,
        port: { number: port, when: 'required' },
        host: process.env.HOST || '127.0.0.1',
        instances,
        apiEnv: besideK6(),
        demoData: !values.empty,
        redisServer,
        monitoring,
        guard,
        terminal,
        signal,
      })
      guard.off()
      print(`Hopwhistle is up.\n\n${addresses(details)}`)
      return EXIT.ok
    } catch (error) {
      terminal.clear()
      const unfinished = readRecord(dir)
      if (unfinished !== undefined) await stopStack(dir, unfinished)
      guard.off()
      throw error
    }
  },
}

function addresses({ apiUrl, api, urls, monitoring }: StackDetails): string {
  return `  API          ${apiUrl}   key ${DEMO_API_KEY}
  Docs         ${apiUrl}${ROUTES.docs}
  Live         ${apiUrl.replace('http', 'ws')}${ROUTES.live}
  Instances    ${api.map(({ id, adminUrl }) => `${id} ${adminUrl}${ROUTES.metrics}`).join('\n               ')}
  Primary      ${urls.owner}
  Replica      ${urls.ownerReplica}
  Redis        ${urls.redis}
${monitoring === undefined ? '' : looksAtIt(monitoring)}
Try   curl -H 'x-api-key: ${DEMO_API_KEY}' '${apiUrl}${ROUTES.reportCalls}?limit=3'
Next  make baseline measures it · make status · make down
`
}

const looksAtIt = ({ prometheus, grafana }: MonitoringDetails): string =>
  `  Prometheus   ${prometheus}
${grafana === undefined ? '' : `  Grafana      ${grafana}\n`}
Load tests send their metrics with   K6_PROMETHEUS_RW_SERVER_URL=${prometheus}/api/v1/write
`
