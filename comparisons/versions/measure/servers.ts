/**
 * The servers that both versions share: two halves, each a Postgres pair that has a database of either version to copy.
 * A coin decides in each round which version gets which half, so that no server is always the same version's.
 */
import type { PlatformCode } from '@hopwhistle/platform/checkout/platform-code.ts'
import { withClient } from '@hopwhistle/platform/stack/with-client.ts'
import { type PeerPlatform, type PlatformContext, startPeerPlatform } from '../../platform/peer-platform.ts'
import { type Both, SIDES } from '../measured.ts'

export type Servers = {
  readonly halves: readonly [PeerPlatform, PeerPlatform]
  stop(): Promise<void>
}

/** Autovacuum looks every minute by default: then only some of the windows would have its work. */
const POSTGRES = { autovacuum_naptime: '15s' }

/** @param calls in each database before a round */
export async function openServers(
  context: Pick<PlatformContext, 'redisServer' | 'terminal' | 'signal'>,
  codes: Both<PlatformCode>,
  calls: number,
): Promise<Servers> {
  const opened: PeerPlatform[] = []
  const stop = async () => void (await Promise.all(opened.map((half) => half.stop())))
  const openHalf = async () => {
    const half = await startPeerPlatform({ ...context, postgresSettings: POSTGRES })
    opened.push(half)
    for (const side of SIDES) {
      const { owner } = await half.createDatabase(side, calls, codes[side])
      await withClient(owner, (client) => client.query('vacuum analyze'))
    }
    return half
  }
  try {
    return { halves: [await openHalf(), await openHalf()], stop }
  } catch (error) {
    await stop()
    throw error
  }
}
