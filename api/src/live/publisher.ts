import { hash } from 'node:crypto'
import type { MessageLog } from '../redis/message-log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { UnnumberedMessage } from './messages.ts'
import { encodeBody } from './messages.ts'

/** What is published together. The same `batchId` always has the same messages. */
export type LiveBatch = {
  readonly batchId: string
  readonly tenantId: string
  readonly messages: readonly UnnumberedMessage[]
}

/** Resolves when Redis has the batch; rejects when it has not, or nobody knows. Publishing again is harmless. */
export type PublishLive = (batch: LiveBatch) => Promise<void>

export function createPublisher(
  log: Pick<MessageLog, 'append'>,
  metrics: Pick<Metrics, 'livePublished' | 'livePublishFailed'>,
): PublishLive {
  return async ({ batchId, tenantId, messages }) => {
    if (messages.length === 0) return
    try {
      const known = await log.append(tenantId, nameOf(batchId, messages), messages.length, encodeBody(messages))
      if (known === 'appended') metrics.livePublished.inc(messages.length)
    } catch (error) {
      metrics.livePublishFailed.inc(messages.length)
      throw error
    }
  }
}

/** A database that was made anew counts its batches from 1 again: the events belong to a batch's name. */
function nameOf(batchId: string, messages: readonly UnnumberedMessage[]): string {
  return hash('sha1', `${batchId}\n${messages.map((message) => message.eventId).join('\n')}`, 'base64url').slice(0, 16)
}
