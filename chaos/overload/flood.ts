import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '@hopwhistle/platform/lib/median.ts'
import { runName } from '../../comparisons/generator/call-events.ts'
import type { GeneratorConfig, Load, LoadResult } from '../../comparisons/generator/load.ts'
import { EVENT_BOUNDS } from '../../contract/calls.ts'
import { HEADERS, ROUTES } from '../../contract/routes.ts'
import { startChild } from '../../platform/child/start-child.ts'
import type { Experiment } from './experiment.ts'

/** Connections of the tenant that floods; each sends its next batch as soon as it has the answer to the last one. */
const FLOODING = 60
const QUIET_PER_SECOND = 50
const QUIET_CONNECTIONS = 20
const TURN_S = 5
/** With and without the flood, one after the other: what else the machine does then hits both. */
const TURNS = 4
const SETTLED_MS = 1_000
/** The most that another tenant may notice. */
const TIMES_MAX = 5
const GENERATOR = new URL('../../comparisons/generator/http-load.ts', import.meta.url)

export const flood: Experiment = {
  name: 'flood',
  title: `${FLOODING} connections that send batches of ${EVENT_BOUNDS.batchMax} events for one tenant`,
  run: async ({ apiUrl, apiKey, newKey }) => {
    const port = Number(new URL(apiUrl).port)
    const many = await startSender(port, FLOODING, await newKey('flood'), EVENT_BOUNDS.batchMax)
    const quiet = await startSender(port, QUIET_CONNECTIONS, apiKey, 'event')
    const without: LoadResult[] = []
    const beside: LoadResult[] = []
    const floods: LoadResult[] = []
    const send = () => quiet.send({ mode: 'open', ratePerSecond: QUIET_PER_SECOND, seconds: TURN_S })
    try {
      await send()
      for (let turn = 0; turn < TURNS; turn++) {
        without.push(await send())
        const flooding = many.send({ mode: 'closed', seconds: TURN_S + SETTLED_MS / 1000 })
        await sleep(SETTLED_MS)
        beside.push(await send())
        floods.push(await flooding)
      }
    } finally {
      await Promise.all([many.stop(), quiet.stop()])
    }
    const failed = beside.reduce((sum, one) => sum + one.failed.length, 0)
    const sent = beside.reduce((sum, one) => sum + one.next - one.first, 0)
    const p95 = (results: readonly LoadResult[]) => median(results.map(({ latency }) => latency.p95Ms))
    const times = p95(beside) / p95(without)
    const taken = floods.reduce((sum, one) => sum + one.answered, 0) * EVENT_BOUNDS.batchMax
    const seconds = floods.reduce((sum, one) => sum + one.seconds, 0)
    const refused = floods.reduce((sum, one) => sum + (one.failures['429'] ?? 0), 0)
    const others = floods.flatMap((one) => Object.keys(one.failures)).filter((status) => status !== '429')
    return {
      title: flood.title,
      figures:
        `${Math.round(taken / seconds)} of its events/s taken, ${refused} of its batches refused with 429; ` +
        `${sent} events of another tenant meanwhile: ${failed} refused, p95 ${p95(beside).toFixed(1)} ms, ` +
        `${times.toFixed(1)} times the ${p95(without).toFixed(1)} ms without the flood`,
      problems: [
        ...(failed > 0 ? [`${failed} events of another tenant were refused`] : []),
        ...(times > TIMES_MAX ? [`another tenant waited ${times.toFixed(1)} times as long, not ${TIMES_MAX}`] : []),
        ...(others.length > 0 ? [`the flood was also answered ${[...new Set(others)].join(', ')}, not 429`] : []),
      ],
    }
  },
}

async function startSender(port: number, connections: number, apiKey: string, as: 'event' | number) {
  const config: GeneratorConfig = {
    ports: [port],
    connections,
    plan: {
      kind: 'events',
      path: as === 'event' ? ROUTES.callEvent : ROUTES.callEvents,
      headers: { [HEADERS.apiKey]: apiKey },
      run: runName(),
      runStartedAtMs: Date.now(),
      occurred: 'earlier',
      as,
    },
  }
  const child = await startChild('the sender', GENERATOR, config)
  return { send: (load: Load) => child.ask<LoadResult>(load), stop: child.stop }
}
