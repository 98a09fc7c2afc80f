import type { Redis } from 'ioredis'
import type { ChannelListener, Subscriber } from './subscriber.ts'

const RETRY_MS = 250

/**
 * down ──ready──▶ up ──close──▶ down
 *
 * down  wanted channels are remembered
 * up    every wanted channel has been asked for; its listener hears `subscribed` when Redis has confirmed it
 *
 * Subscribing again is done here and not by ioredis, whose own way does not say when it is finished.
 */
export function standaloneSubscriber(redis: Redis): Subscriber {
  const listeners = new Map<string, ChannelListener>()

  async function ask(channels: readonly string[]): Promise<void> {
    const wanted = channels.filter((channel) => listeners.has(channel))
    if (wanted.length === 0 || redis.status !== 'ready') return
    try {
      await redis.subscribe(...wanted)
    } catch {
      // While down, `ready` will ask again; otherwise it is up to us.
      setTimeout(() => void ask(wanted), RETRY_MS).unref()
      return
    }
    for (const channel of wanted) listeners.get(channel)?.subscribed()
  }

  redis.on('messageBuffer', (channel: Buffer, payload: Buffer) => {
    listeners.get(channel.toString('latin1'))?.message(payload)
  })
  let up = false
  redis.on('ready', () => {
    up = true
    void ask([...listeners.keys()])
  })
  redis.on('close', () => {
    if (!up) return
    up = false
    for (const listener of listeners.values()) listener.interrupted()
  })

  return {
    subscribe: (channel, listener) => {
      listeners.set(channel, listener)
      void ask([channel])
    },
    unsubscribe: (channel) => {
      if (!listeners.delete(channel) || redis.status !== 'ready') return
      redis.unsubscribe(channel).catch(() => {})
    },
    // Each time adds a listener and a timer to a connection, and one that is being closed stays for a while.
    renew: () => {
      if (redis.stream?.writable) redis.disconnect(true)
    },
  }
}
