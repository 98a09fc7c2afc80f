/**
 * The servers that both versions share: two halves, each a Postgres pair that has a database of either version to copy.
 * A coin decides in each round which version gets which half, so that no server is always the same version's.
 */
import { readFileSync } from 'node:fs'
import { apiProgram, type PlatformCode } from '@hopwhistle/platform/checkout/platform-code.ts'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { number } from '@hopwhistle/platform/document/figures.ts'
import { withClient } from '@hopwhistle/platform/stack/with-client.ts'
import type { Client } from 'pg'
import { type PeerPlatform, type PlatformContext, startPeerPlatform } from '../../platform/peer-platform.ts'
import { type Both, SIDES, type Side } from '../measured.ts'

export type Servers = {
  readonly halves: readonly [PeerPlatform, PeerPlatform]
  stop(): Promise<void>
}

/** The data is made for the time of day, so that a few calls more or less are in it. */
const UNEQUAL = 0.02

/** Autovacuum looks every minute by default: then only some of the windows would have its work. */
const POSTGRES = { autovacuum_naptime: '15s' }

/**
 * @param calls in each database before a round
 * @throws {Failure} also when the versions do not have the same demo data
 */
export async function openServers(
  context: Pick<PlatformContext, 'redisServer' | 'terminal' | 'signal'>,
  codes: Both<PlatformCode>,
  calls: number,
): Promise<Servers> {
  const opened: PeerPlatform[] = []
  const callsToAskFor = SIDES.every((side) => knowsCalls(codes[side])) ? calls : undefined
  const stop = async () => void (await Promise.all(opened.map((half) => half.stop())))
  const openHalf = async () => {
    const half = await startPeerPlatform({ ...context, postgresSettings: POSTGRES })
    opened.push(half)
    const events: Record<Side, number> = { base: 0, head: 0 }
    for (const side of SIDES) {
      const { owner } = await half.createDatabase(side, callsToAskFor, codes[side])
      events[side] = await withClient(owner, settle)
    }
    if (Math.abs(events.base - events.head) > UNEQUAL * events.base) {
      const given = `the base begins with ${number(events.base)} events, the head with ${number(events.head)}`
      throw new Failure(`the demo data of the two versions differs: ${given}`)
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

/** Older versions seed a database of one size only: then the other one gets that size as well. */
const knowsCalls = (code: PlatformCode): boolean =>
  readFileSync(apiProgram(code, 'commands/db-seed-demo.ts'), 'utf8').includes('--calls')

/** @returns how many events there are */
async function settle(client: Client): Promise<number> {
  await client.query('vacuum analyze')
  const { rows } = await client.query<{ events: number }>('select count(*)::int as events from hopwhistle.call_events')
  return rows[0]!.events
}
