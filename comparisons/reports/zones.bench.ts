/** What reports in other time zones take, uncached, compared with UTC. `--help` says how to run it. */
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { parseOptions, wholeNumber } from '@hopwhistle/platform/command-line/parse-options.ts'
import { openTerminal } from '@hopwhistle/platform/command-line/terminal.ts'
import { withClient } from '@hopwhistle/platform/stack/with-client.ts'
import { findRedis } from '@hopwhistle/platform/tools/find-redis.ts'
import { median } from '../arithmetic.ts'
import { type Contender, runRounds } from '../measure/run-rounds.ts'
import { openTimedClient } from '../measure/timed-get.ts'
import { HEADERS_OF_KEY, TENANT_ID } from '../platform/key.ts'
import { preparePlainSql, readPlainMetrics } from './plain-sql.ts'
import { type History, startReportsPlatform } from './reports-platform.ts'
import { getUncached } from './uncached.ts'

const HELP = `Usage: node comparisons/reports/zones.bench.ts [--rounds 3] [--requests 30] [--quick]

Starts a platform with two histories of 30 days, of ten million events and of a hundredth, and asks for the 30 days by the hour
and by the day, in UTC and in other zones, in turns. Prints the median of the rounds with their range, the ratio to a hundredth
of the history, and how many times as fast as plain SQL it is.
`
const DAY_MS = 24 * 3_600_000
const QUESTIONS = [
  ['hour', undefined],
  ['hour', 'UTC'],
  ['hour', 'Europe/Berlin'],
  ['hour', 'Asia/Kolkata'],
  ['hour', 'Asia/Kathmandu'],
  ['day', undefined],
  ['day', 'America/New_York'],
  ['day', 'Asia/Kolkata'],
  ['day', 'Pacific/Auckland'],
] as const

const { values } = parseOptions(process.argv.slice(2), {
  rounds: { type: 'string', default: '3' },
  requests: { type: 'string', default: '30' },
  quick: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
})
if (values.help) process.stdout.write(HELP)
else {
  const rounds = wholeNumber('--rounds', values.rounds, 1, 100)
  const requests = wholeNumber('--requests', values.requests, 1, 1_000)
  const terminal = openTerminal()
  const { signal } = new AbortController()
  const redisServer = await findRedis(terminal, signal)
  const options = { rounds, quick: values.quick, memoryMinutes: 0, base: '', redisServer, terminal, signal }
  const started = await startReportsPlatform(options)
  try {
    await measure(started.large, started.small)
  } finally {
    await started.stop()
  }

  async function measure(large: History, small: History): Promise<void> {
    const toMs = Math.floor(Date.now() / DAY_MS) * DAY_MS
    const fromMs = toMs - 30 * DAY_MS
    const pathOf = ([granularity, zone]: (typeof QUESTIONS)[number]) =>
      `${ROUTES.reportMetrics}?granularity=${granularity}&from=${new Date(fromMs).toISOString()}&to=${new Date(toMs).toISOString()}` +
      (zone === undefined ? '' : `&timezone=${zone}`)
    const ask = async (history: History, path: string, times: number): Promise<number> => {
      const client = openTimedClient(history.api.port, HEADERS_OF_KEY)
      try {
        const taken: number[] = []
        for (let i = 0; i < times; i++) taken.push((await getUncached(history, client, path)).ms)
        return median(taken)
      } finally {
        client.close()
      }
    }
    await withClient(large.database.ownerReplica, async (client) => {
      await preparePlainSql(client)
      const contenders: Contender<number>[] = QUESTIONS.flatMap((question) =>
        [large, small].map((history) => ({
          name: nameOf(question, history === large),
          measure: () => ask(history, pathOf(question), requests),
        })),
      )
      contenders.push({
        name: 'plain SQL',
        measure: async () => (await readPlainMetrics(client, TENANT_ID, fromMs, toMs)).ms,
      })
      for (const question of QUESTIONS) for (const history of [large, small]) await ask(history, pathOf(question), 10)
      const measured = await runRounds('time zones', { rounds, terminal, signal }, contenders)
      const of = (name: string) => measured[name] as readonly number[]
      const ranged = (figures: readonly number[], digits: number) =>
        `${median(figures).toFixed(digits)} (${Math.min(...figures).toFixed(digits)} to ${Math.max(...figures).toFixed(digits)})`
      const lines = QUESTIONS.map((question) => {
        const [many, few] = [of(nameOf(question, true)), of(nameOf(question, false))]
        return [
          nameOf(question, true),
          `${ranged(many, 1)} ms`,
          ranged(
            many.map((ms, i) => ms / (few[i] as number)),
            2,
          ),
          ranged(
            of('plain SQL').map((ms, i) => ms / (many[i] as number)),
            0,
          ),
        ].join(' | ')
      })
      const head = `question | ${large.events} events | ÷ ${small.events} events | plain SQL ÷ it`
      process.stdout.write(`${[head, ...lines].join('\n')}\nplain SQL ${ranged(of('plain SQL'), 0)} ms\n`)
    })
  }
}

function nameOf([granularity, zone]: (typeof QUESTIONS)[number], large: boolean): string {
  return `by the ${granularity}, ${zone ?? 'no zone'}${large ? '' : ', small'}`
}
