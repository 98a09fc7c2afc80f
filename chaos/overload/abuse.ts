import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { EVENT_BOUNDS } from '../../contract/calls.ts'
import { LIMITS } from '../../contract/limits.ts'
import { LIVE_CLOSE, LIVE_PATTERN_ALL } from '../../contract/live.ts'
import { METRICS } from '../../contract/metrics.ts'
import { ROUTES } from '../../contract/routes.ts'
import { parsePrometheus } from '../../platform/lib/prometheus-text.ts'
import { MIB } from '../../platform/settings/arithmetic.ts'
import { startFollower } from '../load/follower.ts'
import { startLedgerLoad } from '../load/ledger-load.ts'
import { liveSocket } from '../load/live-socket.ts'
import { rawSubscriber } from '../load/raw-subscriber.ts'
import { stillMissing } from '../load/still-missing.ts'
import { apiUse } from '../rig/api-use.ts'
import type { Rig } from '../rig/rig.ts'
import type { Experiment } from './experiment.ts'

const OTHERS_PER_SECOND = 100
const OTHERS_WAIT_MAX_MS = 1_500
const GROWN_MAX_MIB = 400
const LASTING_MS = 10_000

/** Abuse by one client, while a second sender behaves well: that sender must not notice. */
function abuse(name: string, title: string, nasty: (rig: Rig) => Promise<NastyResult>): Experiment {
  return {
    name,
    title,
    run: async (rig) => {
      const { apiUrl, apiKey, dir } = rig
      const others = startLedgerLoad({ apiUrl, apiKey, name: `${name}-${Date.now()}`, perSecond: OTHERS_PER_SECOND })
      const before = apiUse(dir).memoryMib
      await sleep(1_000)
      // Abuse and second sender share this process, so the abuse may delay the sender. That delay is not the platform's.
      const own = monitorEventLoopDelay()
      own.enable()
      const { figures, problems } = await nasty(rig)
      const grown = apiUse(dir).memoryMib - before
      await others.stop()
      own.disable()
      const ownMs = own.max / 1e6
      const refused = others.entries.filter(({ refusals }) => refusals.length > 0).length
      const slowest = others.entries.reduce((most, e) => Math.max(most, (e.ackedAtMs ?? Infinity) - e.dueAtMs), 0)
      return {
        title,
        figures: `${figures}; second sender: ${others.entries.length} events, ${refused} refused, slowest ${slowest.toFixed(0)} ms, up to ${ownMs.toFixed(0)} ms of it in the sender itself; ${Math.round(grown)} MiB more memory`,
        problems: [
          ...problems,
          ...(refused > 0 ? [`${refused} events of another sender were refused`] : []),
          ...(slowest - ownMs > OTHERS_WAIT_MAX_MS ? [`another sender waited ${slowest.toFixed(0)} ms`] : []),
          ...(grown > GROWN_MAX_MIB ? [`memory grew by ${Math.round(grown)} MiB`] : []),
        ],
      }
    },
  }
}

type NastyResult = { readonly figures: string; readonly problems: readonly string[] }

const SLOW_SOCKETS = 500
const slowloris = abuse(
  'slowloris',
  `${SLOW_SOCKETS} connections that never finish their headers`,
  async ({ apiUrl }) => {
    const { port } = new URL(apiUrl)
    const sockets = Array.from({ length: SLOW_SOCKETS }, () => connect(Number(port), '127.0.0.1').on('error', () => {}))
    for (const socket of sockets) socket.write('POST /api/v1/events/call HTTP/1.1\r\nhost: x\r\n')
    for (let passed = 0; passed < LASTING_MS; passed += 500) {
      for (const socket of sockets) if (socket.writable) socket.write('x')
      await sleep(500)
    }
    for (const socket of sockets) socket.destroy()
    return { figures: `${SLOW_SOCKETS} connections, a byte each half second for ${LASTING_MS / 1000} s`, problems: [] }
  },
)

/** Of each instance: fewer than MANY all together, so that some are refused. */
export const FEW_SOCKETS = 500
const MANY = 2_000
const manySockets = abuse('sockets', `${MANY} live subscribers at once`, async ({ apiUrl, apiKey, api }) => {
  const sockets = Array.from({ length: MANY }, () => liveSocket(apiUrl, apiKey))
  const opened = await Promise.all(sockets.map(opens))
  for (const socket of sockets) socket.close()
  const count = opened.filter(Boolean).length
  const most = FEW_SOCKETS * api.length
  return {
    figures: `${count} of ${MANY} taken by ${api.length} instances of at most ${FEW_SOCKETS}, the others refused`,
    problems: count < Math.min(MANY, most) * 0.9 || count > most ? [`${count} sockets were opened`] : [],
  }
})

const churn = abuse(
  'churn',
  'A subscriber that subscribes and unsubscribes as fast as it can',
  async ({ apiUrl, apiKey }) => {
    const socket = liveSocket(apiUrl, apiKey)
    if (!(await opens(socket))) return { figures: 'not connected', problems: ['the socket did not open'] }
    const closed = new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)))
    for (let i = 0; i < 5_000; i++) {
      const type = i % 2 === 0 ? 'subscribe' : 'unsubscribe'
      socket.send(JSON.stringify({ type, patterns: [LIVE_PATTERN_ALL] }))
    }
    const code = await Promise.race([closed, sleep(5_000).then(() => 0)])
    return {
      figures: `5,000 requests on one socket: closed with ${code}`,
      problems: code === LIVE_CLOSE.tooManyRequests ? [] : [`the socket was closed with ${code}, not 4429`],
    }
  },
)

const MUTE = 20
const MUTE_WITHIN_MS = 30_000
/** The frame that exceeds the limit is still written whole. */
const LONGEST_FRAME = 140_000
const mute = abuse('mute', `${MUTE} subscribers that never read`, async ({ apiUrl, apiKey, api }) => {
  const follower = startFollower(apiUrl, apiKey)
  await follower.subscribed
  const sockets = await Promise.all(Array.from({ length: MUTE }, () => rawSubscriber(apiUrl, apiKey)))
  for (const socket of sockets) socket.pause()
  const ids: string[] = []
  const look = () => Promise.all(api.map(({ adminUrl }) => metricsOf(adminUrl)))
  const slowReaders = (all: Awaited<ReturnType<typeof look>>) => all.reduce((sum, one) => sum + one.slowReaders, 0)
  const before = slowReaders(await look())
  const began = performance.now()
  const passed = () => performance.now() - began
  let mostUnread = 0
  let closed = 0
  try {
    // The kernel's socket buffers fill first: with batches of long events, within seconds.
    while (closed < MUTE && passed() < MUTE_WITHIN_MS) {
      ids.push(...(await postLongEvents(apiUrl, apiKey)))
      const metrics = await look()
      mostUnread = Math.max(mostUnread, ...metrics.map(({ unread }) => unread))
      closed = slowReaders(metrics) - before
    }
    const seconds = passed() / 1000
    const missing = () => ids.filter((id) => !follower.figures().received.has(id)).length
    const missed = await stillMissing(missing, 5_000)
    const { lostConnections, toldGaps, broken } = follower.figures()
    const kib = (bytes: number) => Math.round(bytes / 1024)
    const cap = LIMITS.live_socket_buffer.value
    return {
      figures: `${closed} closed within ${seconds.toFixed(1)} s and ${ids.length} messages, with at most ${kib(mostUnread)} KiB unread (limit ${kib(cap)}); a subscriber that reads missed ${missed}`,
      problems: [
        ...(closed < MUTE ? [`only ${closed} of ${MUTE} were closed as slow readers`] : []),
        ...(mostUnread > cap + LONGEST_FRAME ? [`${kib(mostUnread)} KiB were kept for one of them`] : []),
        ...(missed + lostConnections + toldGaps + broken.length > 0
          ? ['a subscriber that reads did not get everything']
          : []),
      ],
    }
  } finally {
    follower.stop()
    for (const socket of sockets) socket.destroy()
  }
})

/** Posts events with ids of the greatest length. @returns the ids, once the events are stored */
async function postLongEvents(apiUrl: string, apiKey: string): Promise<readonly string[]> {
  const long = () => randomBytes(Math.floor(EVENT_BOUNDS.idMaxLength / 2)).toString('hex')
  const occurredAt = new Date().toISOString()
  const events = Array.from({ length: EVENT_BOUNDS.batchMax }, () => {
    return { eventId: long(), callId: long(), state: 'RINGING', occurredAt }
  })
  const headers = { 'content-type': 'application/json', 'x-api-key': apiKey }
  const body = JSON.stringify({ events })
  const answer = await fetch(`${apiUrl}${ROUTES.callEvents}`, { method: 'POST', headers, body })
  await answer.arrayBuffer()
  return answer.ok ? events.map(({ eventId }) => eventId) : []
}

async function metricsOf(adminUrl: string): Promise<{ readonly unread: number; readonly slowReaders: number }> {
  const { samples } = parsePrometheus(await (await fetch(`${adminUrl}${ROUTES.metrics}`)).text())
  const of = (name: string, label: string) =>
    samples.find((one) => one.name === name && one.labels.includes(label))?.value ?? 0
  return {
    unread: of(METRICS.usage, 'resource="live_socket_buffer"'),
    slowReaders: of(METRICS.liveClosed, 'reason="slow-reader"'),
  }
}

const bodies = abuse(
  'bodies',
  'A body of 10 MB, JSON a million levels deep, a gzip bomb',
  async ({ apiUrl, apiKey }) => {
    const bomb = gzipSync(Buffer.alloc(100 * MIB))
    const cases = [
      ['10 MB', 'x'.repeat(10 * MIB), {}, [413, 0]],
      ['deep', '['.repeat(MIB - 10), {}, [400]],
      ['deep in metadata', `{"metadata":${'{"a":'.repeat(150_000)}1${'}'.repeat(150_000)}}`, {}, [400]],
      ['gzip of 100 MB', bomb, { 'content-encoding': 'gzip' }, [400, 413, 415]],
    ] as const
    const answers: string[] = []
    const problems: string[] = []
    for (const [name, body, extra, right] of cases) {
      const began = performance.now()
      const headers = { 'content-type': 'application/json', 'x-api-key': apiKey, ...extra }
      const answer = await fetch(`${apiUrl}${ROUTES.callEvent}`, { method: 'POST', headers, body }).catch(
        () => undefined,
      )
      await answer?.arrayBuffer().catch(() => {})
      const status = answer?.status ?? 0
      const ms = performance.now() - began
      answers.push(`${name}: ${status === 0 ? 'connection closed' : status} in ${ms.toFixed(0)} ms`)
      if (!(right as readonly number[]).includes(status)) problems.push(`${name} was answered ${status}`)
      if (ms > 1_000) problems.push(`${name} took ${ms.toFixed(0)} ms`)
    }
    return { figures: answers.join(', '), problems }
  },
)

const opens = (socket: WebSocket): Promise<boolean> =>
  new Promise((resolve) => {
    socket.addEventListener('open', () => resolve(true))
    socket.addEventListener('error', () => resolve(false))
  })

export const abuses: readonly Experiment[] = [slowloris, manySockets, mute, churn, bodies]
