import { setTimeout as sleep } from 'node:timers/promises'
import { runName } from '../../comparisons/generator/call-events.ts'
import type { GeneratorConfig, Load, LoadResult } from '../../comparisons/generator/load.ts'
import { HEADERS, ROUTES } from '../../contract/routes.ts'
import { startChild } from '../../platform/child/start-child.ts'
import { riggingOf } from '../faults/fault.ts'
import { apiUse } from '../rig/api-use.ts'
import type { Rig } from '../rig/rig.ts'
import type { Experiment } from './experiment.ts'

const OVERLOADED_S = 60
const PEAK_S = 4
const NORMAL_AFTER_MS = 5_000
const NORMAL_S = 3
const TIMES = 10
const WAITING = 100
/** Clients, each with one connection that stays open. */
const FLOODING = 400
const REFUSED = '429'
const GENERATOR = new URL('../../comparisons/generator/http-load.ts', import.meta.url)
/** Half of the round trip to a primary that is slow on purpose. */
const DELAY_MS = 5

/** Makes the capacity of the instance so small that the same machine can send ten times as much. */
export const SMALL_CAPACITY = {
  INGEST_BATCHES_IN_FLIGHT: '1',
  INGEST_BATCH_MAX: '4',
  INGEST_QUEUE_MAX: String(WAITING),
}

export const tenTimes: Experiment = {
  name: 'ten-times',
  title: `Ten times as many events as can be taken, for ${OVERLOADED_S} s`,
  run: async (rig) => {
    const { primary } = riggingOf(rig).links
    primary.set({ delayMs: DELAY_MS, lossRatio: 0 })
    // Few enough that the queue holds an event of each.
    const usual = await startSender(rig, WAITING / 2)
    const flood = await startSender(rig, FLOODING)
    try {
      const peak = (await usual.send({ mode: 'closed', seconds: PEAK_S })).perSecond
      const calm = await usual.send({ mode: 'open', ratePerSecond: peak / 2, seconds: NORMAL_S })
      const memoryBefore = apiUse(rig.dir).memoryMib
      let memoryMost = memoryBefore
      const looking = setInterval(() => {
        memoryMost = Math.max(memoryMost, apiUse(rig.dir).memoryMib)
      }, 500)
      const overloaded = await flood
        .send({ mode: 'open', ratePerSecond: peak * TIMES, seconds: OVERLOADED_S })
        .finally(() => clearInterval(looking))
      await sleep(NORMAL_AFTER_MS)
      const after = await usual.send({ mode: 'open', ratePerSecond: peak / 2, seconds: NORMAL_S })

      const { answered, failures, failureLatency, seconds, generatorCpuSeconds } = overloaded
      const { [REFUSED]: refused = 0, ...others } = failures
      const goodput = answered / seconds
      const sent = overloaded.next - overloaded.first
      const refusedMs = failureLatency[REFUSED]?.p95Ms ?? 0
      const grown = memoryMost - memoryBefore
      return {
        title: tenTimes.title,
        figures:
          `${Math.round(sent / seconds)} events/s sent, ${Math.round(goodput)}/s accepted, peak without overload ${Math.round(peak)}/s; ` +
          `refused within ${refusedMs.toFixed(0)} ms (p95); ${Math.round(grown)} MiB more memory; ` +
          `p95 before ${calm.latency.p95Ms.toFixed(0)} ms, 5 s after ${after.latency.p95Ms.toFixed(0)} ms; ` +
          `the sender used ${(generatorCpuSeconds / seconds).toFixed(2)} of a core`,
        problems: [
          ...(goodput < 0.8 * peak ? [`only ${Math.round((100 * goodput) / peak)} % of the peak were taken`] : []),
          ...(refusedMs > 50 ? [`refusals took ${refusedMs.toFixed(0)} ms (p95), not 50`] : []),
          ...(refused === 0 ? ['nothing was refused: it was no overload'] : []),
          ...Object.entries(others).map(([what, count]) => `${count} answers were neither 201 nor 429: ${what}`),
          ...(grown > 200 ? [`memory grew by ${Math.round(grown)} MiB`] : []),
          ...(after.latency.p95Ms > 2 * calm.latency.p95Ms + 20
            ? [`p95 was ${after.latency.p95Ms.toFixed(0)} ms 5 s later, not ${calm.latency.p95Ms.toFixed(0)}`]
            : []),
        ],
      }
    } finally {
      primary.set('open')
      await Promise.all([usual.stop(), flood.stop()])
    }
  },
}

/** Starts a sender in its own process: this process runs the proxy to the primary, which must not be delayed. */
async function startSender({ apiUrl, apiKey }: Rig, connections: number) {
  const config: GeneratorConfig = {
    ports: [Number(new URL(apiUrl).port)],
    connections,
    plan: {
      kind: 'events',
      path: ROUTES.callEvent,
      headers: { [HEADERS.apiKey]: apiKey },
      run: runName(),
      runStartedAtMs: Date.now(),
      occurred: 'earlier',
    },
  }
  const child = await startChild('the sender', GENERATOR, config)
  return { send: (load: Load) => child.ask<LoadResult>(load), stop: child.stop }
}
