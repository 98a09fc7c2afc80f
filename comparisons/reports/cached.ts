/** Cached reports, compared with a Fastify route that returns the same bytes. */
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import { startGenerator } from '../generator/start-generator.ts'
import { type Loaded, measureLoad } from '../measure/loaded.ts'
import { type Contender, runRounds } from '../measure/run-rounds.ts'
import type { PartOptions } from '../parts.ts'
import { HEADERS_OF_KEY } from '../platform/key.ts'
import type { SameBytesConfig } from '../servers/same-bytes.ts'
import type { ServerReady } from '../servers/stores-nothing.ts'
import type { ReportsPlatform } from './reports-platform.ts'

export type CachedMeasured = Readonly<Record<'ours' | 'sameBytes', readonly Loaded[]>> & {
  readonly answerBytes: number
}

export const CACHED_CONNECTIONS = 50

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const SAME_BYTES = new URL('../servers/same-bytes.ts', import.meta.url)

export async function measureCached(
  { platform, large }: ReportsPlatform,
  options: PartOptions,
): Promise<CachedMeasured> {
  const { quick } = options
  // A day in the past, as a dashboard shows next to today.
  const toMs = Math.floor(Date.now() / DAY_MS) * DAY_MS
  const at = (ms: number) => new Date(ms).toISOString()
  const path = `${ROUTES.reportMetrics}?granularity=hour&from=${at(toMs - DAY_MS)}&to=${at(toMs)}`
  const answer = async () => fetch(`${large.api.url}${path}`, { headers: HEADERS_OF_KEY })
  await (await answer()).arrayBuffer()
  const cached = await answer()
  const body = await cached.text()
  const kept = ['content-type', 'etag', 'cache-control', 'vary', 'x-content-type-options', HEADERS.requestId]
  const headers = Object.fromEntries(kept.map((name) => [name, cached.headers.get(name) ?? '']))
  const config: SameBytesConfig = { answers: { [path]: body }, headers }
  const peer = await platform.startProgram<ServerReady>('same-bytes', SAME_BYTES, config)

  const start = async (name: 'ours' | 'sameBytes', port: number, pid: number): Promise<Contender<Loaded>> => {
    const plan = { kind: 'get', paths: [path], headers: HEADERS_OF_KEY } as const
    const generator = await startGenerator(platform, { ports: [port], connections: CACHED_CONNECTIONS, plan })
    const load = { mode: 'closed', seconds: quick ? 0.5 : 4 } as const
    return { name, measure: () => measureLoad(generator, { servers: [pid] }, load, quick ? 0.3 : 1.5) }
  }
  const contenders = [
    await start('ours', large.api.port, large.api.process.pid),
    await start('sameBytes', peer.ready.port, peer.pid),
  ]
  const measured = await runRounds('reports, cached', options, contenders)
  return { ...(measured as Omit<CachedMeasured, 'answerBytes'>), answerBytes: Buffer.byteLength(body) }
}
