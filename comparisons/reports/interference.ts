/** Reports and ingest at the planned rates: each alone, and both at once. */
import { settlePostgres } from '@hopwhistle/platform/stack/settle-postgres.ts'
import type { LoadResult } from '../generator/load.ts'
import { startEventGenerator, startGenerator } from '../generator/start-generator.ts'
import { runRounds } from '../measure/run-rounds.ts'
import type { PartOptions } from '../parts.ts'
import { HEADERS_OF_KEY } from '../platform/key.ts'
import { reportPaths } from './report-paths.ts'
import type { ReportsPlatform } from './reports-platform.ts'

export type InterferenceTurn = { readonly reports?: LoadResult; readonly ingest?: LoadResult }
export type InterferenceMeasured = Readonly<Record<'reports' | 'ingest' | 'both', readonly InterferenceTurn[]>>

export const INTERFERENCE = { instances: 3, reportsPerSecond: 100, eventsPerSecond: 500, connections: 60 } as const

export async function measureInterference(
  { platform, large }: ReportsPlatform,
  options: PartOptions,
): Promise<InterferenceMeasured> {
  const { quick } = options
  const api = await platform.startApi(large.database, INTERFERENCE.instances)
  const ports = api.map(({ port }) => port)
  const plan = { kind: 'get', paths: reportPaths(), headers: HEADERS_OF_KEY } as const
  const reports = await startGenerator(platform, { ports, connections: INTERFERENCE.connections, plan })
  const ingest = await startEventGenerator(platform, ports, INTERFERENCE.connections)
  const seconds = quick ? 1 : 10
  const askReports = (seconds: number) =>
    reports.run({ mode: 'open', seconds, ratePerSecond: INTERFERENCE.reportsPerSecond })
  const sendEvents = (seconds: number) =>
    ingest.run({ mode: 'open', seconds, ratePerSecond: INTERFERENCE.eventsPerSecond })

  const turn = (name: 'reports' | 'ingest' | 'both') => ({
    name,
    measure: async (): Promise<InterferenceTurn> => {
      await settlePostgres({ primaryUrl: large.database.owner, replicaUrl: large.database.ownerReplica })
      const run = async (seconds: number) => {
        const [asked, sent] = await Promise.all([
          name === 'ingest' ? undefined : askReports(seconds),
          name === 'reports' ? undefined : sendEvents(seconds),
        ])
        return { ...(asked && { reports: asked }), ...(sent && { ingest: sent }) }
      }
      await run(quick ? 0.5 : 2)
      return run(seconds)
    },
  })
  const turns = [turn('reports'), turn('ingest'), turn('both')]
  const measured = await runRounds('reports and ingest', options, turns)
  return measured as InterferenceMeasured
}
