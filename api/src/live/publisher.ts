import { hash } from 'node:crypto'
import { createShares } from '../access/shares.ts'
import type { MessageLog, NewBatch } from '../redis/message-log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { UnnumberedMessage } from './messages.ts'
import { encodeBody } from './messages.ts'
import type { UntilPublish } from './publish-tick.ts'

/** What is published together. The same `batchId` always has the same messages. */
export type LiveBatch = {
  readonly batchId: string
  readonly tenantId: string
  readonly messages: readonly UnnumberedMessage[]
}

/** Resolves when Redis has the batch; rejects when it has not, or nobody knows. Publishing again is harmless. */
export type PublishLive = (batch: LiveBatch) => Promise<void>

/** Past this many messages a tenant's batches no longer go out together. */
const TOGETHER_MAX = 2_000
/** Past this many calls that wait for Redis, more are refused at once. */
const WAITING_MAX = 20

/**
 * Publishes a tenant's batches in the order in which they are given.
 *
 * idle ──batch──▶ sending, until the tenant's next tick at least ──▶ idle, or what came meanwhile ──▶ sending …
 *
 * The first batch goes out at once. Those that come while it is under way, or before the tick, share the next call: under
 * load, Redis and every instance are woken once for several of them.
 */
export function createPublisher(
  log: Pick<MessageLog, 'append'>,
  untilPublish: UntilPublish,
  metrics: Pick<Metrics, 'livePublished' | 'livePublishFailed'>,
  maxBytes: number,
): PublishLive {
  const shares = createShares(maxBytes)
  type Waiting = {
    batches: NewBatch[]
    messages: number
    bytes: number
    resolve: () => void
    reject: (error: unknown) => void
    sent: Promise<void>
  }
  const queues = new Map<string, Waiting[]>()

  async function send(tenantId: string, queue: Waiting[]): Promise<void> {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      const pause = new Promise<void>((resolve) => setTimeout(resolve, untilPublish(tenantId)))
      queue.shift()
      try {
        metrics.livePublished.inc(await log.append(tenantId, next.batches))
        next.resolve()
      } catch (error) {
        metrics.livePublishFailed.inc(next.messages)
        next.reject(error)
      }
      shares.give(tenantId, next.bytes)
      await pause
    }
    queues.delete(tenantId)
  }
  function newWaiting(): Waiting {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    return { batches: [], messages: 0, bytes: 0, resolve, reject, sent: promise }
  }

  return async ({ batchId, tenantId, messages }) => {
    if (messages.length === 0) return
    const body = encodeBody(messages)
    const bytes = 2 * body.length
    if (shares.take(tenantId, bytes) !== 'taken') {
      metrics.livePublishFailed.inc(messages.length)
      throw new Error('what waits to be published takes as much memory as it may')
    }
    let queue = queues.get(tenantId)
    const isIdle = queue === undefined
    queue ??= []
    let last = queue.at(-1)
    if (last === undefined || last.messages + messages.length > TOGETHER_MAX) {
      if (queue.length >= WAITING_MAX) {
        metrics.livePublishFailed.inc(messages.length)
        shares.give(tenantId, bytes)
        throw new Error(`${queue.length} calls wait to be published already`)
      }
      last = newWaiting()
      queue.push(last)
    }
    last.batches.push({ name: nameOf(batchId, messages), count: messages.length, body })
    last.bytes += bytes
    last.messages += messages.length
    if (isIdle) {
      queues.set(tenantId, queue)
      void send(tenantId, queue)
    }
    return last.sent
  }
}

/** A database that was created again counts its batches from 1: so the events are part of a batch's name. */
function nameOf(batchId: string, messages: readonly UnnumberedMessage[]): string {
  return hash('sha1', `${batchId}\n${messages.map((message) => message.eventId).join('\n')}`, 'base64url').slice(0, 16)
}
