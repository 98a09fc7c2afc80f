import { Cluster, Redis } from 'ioredis'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { clusterSubscriber } from './cluster-subscriber.ts'
import type { RedisSettings } from './connection-options.ts'
import { clusterNodes, clusterOptions, connectionOptions } from './connection-options.ts'
import type { LoggedConnection } from './log-connection.ts'
import { logConnection } from './log-connection.ts'
import { standaloneSubscriber } from './standalone-subscriber.ts'
import type { Subscriber } from './subscriber.ts'
import { watch } from './watchdog.ts'

export type { RedisSettings } from './connection-options.ts'
export type { ChannelListener, Subscriber } from './subscriber.ts'

/** Commands of one tenant go to one node: its keys share the hash tag `{tenantId}`. */
export type RedisCommands = Redis | Cluster

export type RedisConnections = {
  /** Fails fast: at once while Redis is away, within two seconds when it does not answer. */
  readonly commands: RedisCommands
  readonly subscriber: Subscriber
  /** In a cluster, channels are published with SPUBLISH and live on the node of their slot. */
  readonly topology: 'standalone' | 'cluster'
  /** True while Redis answers. */
  isUp(): boolean
  /** Waits for what was asked, a moment at most, then closes every connection. */
  close(): Promise<void>
}

/**
 * Opens the two connections of an instance and keeps them: lost ones are made again for ever, with growing and
 * random pauses, and half-open ones are found by asking. Does not wait for Redis and never throws because of it.
 */
export function openRedis(
  settings: RedisSettings,
  log: Pick<Log, 'info' | 'warn'>,
  metrics?: Pick<Metrics, 'redisUp'>,
): RedisConnections {
  const nodes = clusterNodes(settings)
  const logged: LoggedConnection[] = []
  const open = (role: 'commands' | 'subscriber'): RedisCommands => {
    const client =
      nodes === undefined
        ? new Redis(connectionOptions(settings, role))
        : new Cluster(nodes, clusterOptions(settings, role))
    logged.push(logConnection(client, role, log))
    return client
  }
  const commands = open('commands')
  const listening = open('subscriber')
  const watching = [watch(commands, (up) => metrics?.redisUp.set(up ? 1 : 0)), watch(listening, () => {})]

  return {
    commands,
    subscriber: listening instanceof Redis ? standaloneSubscriber(listening) : clusterSubscriber(listening),
    topology: nodes === undefined ? 'standalone' : 'cluster',
    isUp: () => watching.every((watched) => watched.isUp()),
    close: async () => {
      for (const { stop } of watching) stop()
      for (const { closing } of logged) closing()
      await Promise.all([close(commands), close(listening)])
      metrics?.redisUp.set(0)
    },
  }
}

const QUIT_WITHIN_MS = 500

async function close(client: RedisCommands): Promise<void> {
  if (client.status === 'ready') {
    let timer: NodeJS.Timeout | undefined
    const tooLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, QUIT_WITHIN_MS)
    })
    await Promise.race([client.quit().catch(() => {}), tooLate])
    clearTimeout(timer)
  }
  client.disconnect()
}
