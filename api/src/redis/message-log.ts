/**
 * A log of messages per tenant: numbered without a hole, published as they are appended, and kept for a while.
 *
 * The keys of a tenant share a hash tag, so that one script reaches all of them on one node of a cluster:
 *
 *   hw:{tenant}:live:head      epoch, offset
 *   hw:{tenant}:live:history   stream, one entry a batch, named by the batch's last offset
 *   hw:{tenant}:live:marks     which offset was reached when
 *   hw:{tenant}:live:appended  batches that need not be appended again
 *   hw:{tenant}:live           the channel
 */
import { randomBytes } from 'node:crypto'
import type { RedisConnections } from './open-redis.ts'
import { script } from './script.ts'
import type { ChannelListener } from './subscriber.ts'

export type MessageLogSettings = {
  /** Most messages that are kept of a tenant. */
  readonly liveHistoryMessages: number
  /** How long they are kept, in seconds. */
  readonly liveHistorySeconds: number
}

/** Some messages in a row; `body` is the caller's affair. */
export type LogBatch = { readonly from: number; readonly to: number; readonly body: string }

/** Messages to be appended. The same name means the same messages. */
export type NewBatch = { readonly name: string; readonly count: number; readonly body: string }

export type LogPage = {
  readonly epoch: string
  /** The last one given out. */
  readonly offset: number
  /** What follows the offset asked for, in order; not always all of it. */
  readonly batches: readonly LogBatch[]
  /** False when what directly follows the offset asked for is gone, or the offset was never given out. */
  readonly complete: boolean
}

export type MessageLog = {
  /**
   * Appends batches and publishes them together; one that was appended before, within five minutes, is left alone.
   * @returns how many messages were new
   * @throws when Redis does not say that it did
   */
  append(tenantId: string, batches: readonly NewBatch[]): Promise<number>
  /** @param after absent: only where the log is. @throws when Redis does not answer */
  read(tenantId: string, after?: number): Promise<LogPage>
  listen(tenantId: string, listener: ChannelListener): void
  unlisten(tenantId: string): void
  /** For a listener that does not receive what the log has: reconnects, at most every 10 s. */
  renew(): void
}

const REMEMBERED_MS = 300_000
const PAGE_BYTES = 131_072
const RENEW_EVERY_MS = 10_000

const append = script('head', 'append-messages')
const read = script('head', 'read-messages')

export function messageLog(
  { commands, subscriber, topology }: Pick<RedisConnections, 'commands' | 'subscriber' | 'topology'>,
  settings: MessageLogSettings,
): MessageLog {
  const publish = topology === 'cluster' ? 'SPUBLISH' : 'PUBLISH'
  const key = (tenantId: string, name: string) => `hw:{${tenantId}}:live:${name}`
  const channel = (tenantId: string) => `hw:{${tenantId}}:live`
  const headKeys = (tenantId: string) => ['head', 'history', 'marks'].map((name) => key(tenantId, name))
  let renewedAt = 0
  // Redis's own random numbers are the same in every run of a script. Hardly any of these is ever used.
  const epochPrefix = randomBytes(9).toString('base64url')
  let epochs = 0
  const newEpoch = () => `${epochPrefix}.${(epochs++).toString(36)}`

  return {
    append: async (tenantId, batches) => {
      const settingsOfLog = [settings.liveHistoryMessages, settings.liveHistorySeconds * 1000, REMEMBERED_MS]
      return Number(
        await append(
          commands,
          [...headKeys(tenantId), key(tenantId, 'appended')],
          [
            newEpoch(),
            channel(tenantId),
            publish,
            ...settingsOfLog,
            ...batches.flatMap(({ name, count, body }) => [name, count, body]),
          ],
        ),
      )
    },
    read: async (tenantId, after) => {
      const answer = await read(commands, headKeys(tenantId), [newEpoch(), after ?? -1, PAGE_BYTES])
      return toPage(answer as readonly (string | number)[], after)
    },
    listen: (tenantId, listener) => subscriber.subscribe(channel(tenantId), listener),
    unlisten: (tenantId) => subscriber.unsubscribe(channel(tenantId)),
    renew: () => {
      if (Date.now() - renewedAt < RENEW_EVERY_MS) return
      renewedAt = Date.now()
      subscriber.renew()
    },
  }
}

function toPage([epoch, offset, ...rest]: readonly (string | number)[], after: number | undefined): LogPage {
  const batches: LogBatch[] = []
  for (let i = 0; i + 2 < rest.length; i += 3) {
    batches.push({ from: Number(rest[i]), to: Number(rest[i + 1]), body: String(rest[i + 2]) })
  }
  const last = Number(offset)
  const first = batches[0]?.from ?? last + 1
  const complete = after === undefined || (after <= last && first <= after + 1)
  return { epoch: String(epoch), offset: last, batches, complete }
}

/** Takes a published message apart again. */
export function parsePublished(payload: Buffer): LogBatch & { readonly epoch: string } {
  const text = payload.toString()
  const end = text.indexOf('\n')
  const [epoch = '', from, to] = text.slice(0, end).split(' ')
  return { epoch, from: Number(from), to: Number(to), body: text.slice(end + 1) }
}
