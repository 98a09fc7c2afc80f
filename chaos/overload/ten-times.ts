import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROUTES } from '../../contract/routes.ts'
import { latencyOf } from '../../loadtests/bench/peers/measure/arithmetic.ts'
import { riggingOf } from '../faults/fault.ts'
import { apiUse } from '../platform/api-use.ts'
import type { Experiment } from './experiment.ts'

const OVERLOADED_MS = 60_000
const PEAK_MS = 4_000
const NORMAL_AFTER_MS = 5_000
const NORMAL_MS = 3_000
const TIMES = 10
const WAITING = 100
const CONNECTIONS = 400
/** Half of the way there and back to a primary that is slow on purpose. */
const DELAY_MS = 5

/** What makes the capacity of the instance so small that ten times as much can be sent from the same machine. */
export const SMALL_CAPACITY = {
  INGEST_BATCHES_IN_FLIGHT: '1',
  INGEST_BATCH_MAX: '4',
  INGEST_QUEUE_MAX: String(WAITING),
}

type Answer = { readonly status: number; readonly ms: number }

export const tenTimes: Experiment = {
  name: 'ten-times',
  title: `Ten times as many events as can be taken, for ${OVERLOADED_MS / 1000} s`,
  run: async (rig) => {
    const { primary } = riggingOf(rig).links
    const send = () => sendEvent(rig.apiUrl, rig.apiKey)
    primary.set({ delayMs: DELAY_MS, lossRatio: 0 })
    try {
      const peak = await closedLoop(send, WAITING / 2, PEAK_MS)
      const calm = p95(await openLoop(send, peak / 2, NORMAL_MS))
      const memoryBefore = apiUse(rig.dir).memoryMib
      let memoryMost = memoryBefore
      const looking = setInterval(() => {
        memoryMost = Math.max(memoryMost, apiUse(rig.dir).memoryMib)
      }, 500)
      const answers = await openLoop(send, peak * TIMES, OVERLOADED_MS).finally(() => clearInterval(looking))
      await sleep(NORMAL_AFTER_MS)
      const after = p95(await openLoop(send, peak / 2, NORMAL_MS))
      const taken = answers.filter(({ status }) => status === 201)
      const refused = answers.filter(({ status }) => status === 503)
      const others = answers.length - taken.length - refused.length
      const goodput = taken.length / (OVERLOADED_MS / 1000)
      const refusedP95 = p95(refused)
      const grown = memoryMost - memoryBefore
      return {
        title: tenTimes.title,
        figures:
          `${Math.round(goodput)} of ${Math.round(answers.length / (OVERLOADED_MS / 1000))} events/s taken, of ` +
          `${Math.round(peak)}/s at most; refused within ${refusedP95.toFixed(0)} ms (p95); ${Math.round(grown)} MiB more memory; ` +
          `p95 before ${calm.toFixed(0)} ms, 5 s after ${after.toFixed(0)} ms`,
        problems: [
          ...(goodput < 0.8 * peak ? [`only ${Math.round((100 * goodput) / peak)} % of the peak were taken`] : []),
          ...(refusedP95 > 50 ? [`refusals took ${refusedP95.toFixed(0)} ms (p95), not 50`] : []),
          ...(refused.length === 0 ? ['nothing was refused: it was no overload'] : []),
          ...(others > 0 ? [`${others} answers were neither 201 nor 503`] : []),
          ...(grown > 200 ? [`memory grew by ${Math.round(grown)} MiB`] : []),
          ...(after > 2 * calm + 20 ? [`p95 was ${after.toFixed(0)} ms 5 s later, not ${calm.toFixed(0)}`] : []),
        ],
      }
    } finally {
      primary.set('open')
    }
  },
}

/** As a few hundred clients that keep their connections; what waits for a free one of them waits within its time. */
const clients = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })

function sendEvent(apiUrl: string, apiKey: string): Promise<Answer> {
  const began = performance.now()
  const event = { eventId: randomUUID(), callId: randomUUID(), state: 'RINGING', occurredAt: new Date().toISOString() }
  const headers = { 'content-type': 'application/json', 'x-api-key': apiKey }
  return new Promise((resolve) => {
    const answered = (status: number) => resolve({ status, ms: performance.now() - began })
    request(`${apiUrl}${ROUTES.callEvent}`, { method: 'POST', agent: clients, headers })
      .on('response', (response) => {
        response.resume().on('end', () => answered(response.statusCode ?? 0))
      })
      .on('error', () => answered(0))
      .end(JSON.stringify(event))
  })
}

/** @returns how many are taken a second when each sender waits for its answer */
async function closedLoop(send: () => Promise<Answer>, senders: number, ms: number): Promise<number> {
  const until = performance.now() + ms
  let taken = 0
  const one = async () => {
    while (performance.now() < until) if ((await send()).status === 201) taken += 1
  }
  await Promise.all(Array.from({ length: senders }, one))
  return taken / (ms / 1000)
}

/** Sends at a steady rate, whatever is answered. */
async function openLoop(send: () => Promise<Answer>, perSecond: number, ms: number): Promise<readonly Answer[]> {
  const began = performance.now()
  const answers: Promise<Answer>[] = []
  for (let passed = 0; passed < ms; passed = performance.now() - began) {
    while (answers.length < (passed / 1000) * perSecond) answers.push(send())
    await sleep(5)
  }
  return Promise.all(answers)
}

/** 0 of none. */
const p95 = (answers: readonly Answer[]): number =>
  answers.length === 0 ? 0 : latencyOf(answers.map(({ ms }) => ms)).p95Ms
