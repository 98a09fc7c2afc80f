import type { Cluster } from 'ioredis'
import type { ChannelListener, Subscriber } from './subscriber.ts'

const RETRY_MS = 250

/**
 * Sharded pub/sub (Redis 7): each channel lives on the node that holds its slot, so that no message visits every node.
 *
 * ioredis moves subscriptions when slots move, without an event; so a listener must compare
 * what it received with what was published now and then.
 */
export function clusterSubscriber(cluster: Cluster): Subscriber {
  const listeners = new Map<string, ChannelListener>()
  const everyone = (tell: (listener: ChannelListener) => void) => {
    for (const listener of listeners.values()) tell(listener)
  }

  async function ask(channel: string): Promise<void> {
    const listener = listeners.get(channel)
    if (listener === undefined) return
    try {
      if (cluster.status !== 'ready') throw new Error('the cluster is not connected')
      await cluster.ssubscribe(channel)
    } catch {
      setTimeout(() => void ask(channel), RETRY_MS).unref()
      return
    }
    if (listeners.get(channel) === listener) listener.subscribed()
  }

  cluster.on('smessageBuffer', (channel: Buffer, payload: Buffer) => {
    listeners.get(channel.toString('latin1'))?.message(payload)
  })
  cluster.on('subscribersReady', () => {
    for (const channel of listeners.keys()) void ask(channel)
  })
  cluster.on('-subscriber', () => everyone((listener) => listener.interrupted()))
  cluster.on('close', () => everyone((listener) => listener.interrupted()))

  return {
    subscribe: (channel, listener) => {
      listeners.set(channel, listener)
      void ask(channel)
    },
    unsubscribe: (channel) => {
      if (listeners.delete(channel)) cluster.sunsubscribe(channel).catch(() => {})
    },
    renew: () => cluster.disconnect(true),
  }
}
