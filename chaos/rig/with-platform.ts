import { execFile } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { LIMITS } from '../../contract/limits.ts'
import type { Terminal } from '../../platform/command-line/terminal.ts'
import { CHECKOUT } from '../../platform/lib/checkout.ts'
import { freePort } from '../../platform/machine/free-port.ts'
import { startGuard } from '../../platform/stack/guard.ts'
import { makeTempDir } from '../../platform/stack/run-as.ts'
import { readRecord, type StackDetails } from '../../platform/stack/stack-record.ts'
import { startStack } from '../../platform/stack/start-stack.ts'
import { stopStack } from '../../platform/stack/stop-stack.ts'
import { findRedis } from '../../platform/tools/find-redis.ts'
import { type Link, startLink } from './link.ts'
import { clockFile, type Rig, type Rigging, serversOf, setClockShift } from './rig.ts'
import { missingForSmallDisk, mountSmallDisk } from './small-disk.ts'

export type PlatformOptions = {
  readonly instances: number
  readonly apiEnv?: Readonly<Record<string, string>>
  /** Adds links, a small disk and clocks that can be set. `random` decides which packets are lost. */
  readonly rigged?: { readonly random: () => number }
  readonly terminal: Terminal
  readonly signal?: AbortSignal
}

const KEYS = join(CHECKOUT, 'api', 'src', 'commands', 'keys.ts')
/** So high that no client is limited: the tests are about the platform. */
const NO_SHARE = { [LIMITS.tenant_rate.env]: '1000000' }
const SHIFT_CLOCK = new URL('shift-clock.ts', import.meta.url)

/** Starts a platform of its own, empty except for a tenant with a key. Stops it when `use` ends, also when it fails. */
export async function withPlatform<T>(
  { instances, apiEnv: givenEnv = {}, rigged, terminal, signal }: PlatformOptions,
  use: (platform: Rig) => Promise<T>,
): Promise<T> {
  const home = makeTempDir('hopwhistle-chaos-')
  // A folder inside, so that the disk mounted on it can be unmounted before everything is removed.
  const dir = join(home, 'platform')
  mkdirSync(dir, { mode: 0o711 })
  const guard = startGuard()
  guard.remove(home)
  const disk = rigged && missingForSmallDisk() === undefined ? mountSmallDisk(dir) : undefined
  const links: Link[] = []
  const link = async (url: string, random: () => number) => {
    const one = await startLink(url, random)
    links.push(one)
    return one
  }
  try {
    const redisServer = await findRedis(terminal, signal)
    const apiEnv = {
      ...NO_SHARE,
      ...givenEnv,
      ...(rigged && { NODE_OPTIONS: `--import ${SHIFT_CLOCK.href}`, CLOCK_SHIFT_FILE: clockFile(dir) }),
    }
    let rigging: Rigging | undefined
    let ways: StackDetails['urls'] | undefined
    const waysForApi = async (urls: StackDetails['urls']): Promise<StackDetails['urls']> => {
      if (rigged === undefined) return urls
      const primary = await link(urls.primary, rigged.random)
      const replica = await link(urls.replica, rigged.random)
      const redis = await link(urls.redis, rigged.random)
      const shiftClock = (ms: number) => setClockShift(dir, ms)
      rigging = { links: { primary, replica, redis }, shiftClock, ...(disk && { disk }) }
      const through = {
        primary: primary.through(urls.primary),
        replica: replica.through(urls.replica),
        redis: redis.through(urls.redis),
      }
      ways = { ...urls, ...through }
      return ways
    }
    const details = await startStack({
      dir,
      port: { number: await freePort(), when: 'preferred' },
      host: '127.0.0.1',
      instances,
      demoData: false,
      redisServer,
      guard,
      terminal,
      apiEnv,
      waysForApi,
      ...(signal && { signal }),
    })
    const servers = serversOf({ dir, details, ways: ways ?? details.urls, apiEnv, redisServer, guard })
    const newKey = (tenantName: string) => createKey(details.urls.owner, tenantName)
    const apiKey = await newKey('chaos')
    return await use({ ...details, dir, apiKey, newKey, servers, ...(rigging && { rigged: rigging }) })
  } finally {
    const record = readRecord(dir)
    disk?.empty()
    await Promise.all(links.map((one) => one.close()))
    if (record !== undefined) await terminal.during('stopping', () => stopStack(join(dir, 'nothing'), record))
    disk?.unmount()
    terminal.clear()
    guard.off()
    rmSync(home, { recursive: true, force: true })
  }
}

async function createKey(ownerUrl: string, tenantName: string): Promise<string> {
  const env = { PATH: process.env.PATH, MIGRATION_DATABASE_URL: ownerUrl }
  const { stdout } = await promisify(execFile)(process.execPath, [KEYS, 'create', '--new-tenant', tenantName], { env })
  return stdout.trim()
}
