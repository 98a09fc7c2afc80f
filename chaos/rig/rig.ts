import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../platform/command-line/failure.ts'
import { type ApiOptions, startApiInstance } from '../../platform/stack/api-instances.ts'
import type { Guard } from '../../platform/stack/guard.ts'
import { startPostgresAgain } from '../../platform/stack/postgres-pair.ts'
import { startRedis } from '../../platform/stack/redis-server.ts'
import type { ServerProcess } from '../../platform/stack/server-process.ts'
import { readRecord, type StackDetails, writeRecord } from '../../platform/stack/stack-record.ts'
import type { Link } from './link.ts'
import { type Server, serverOf } from './servers.ts'
import type { SmallDisk } from './small-disk.ts'

/** A platform with a handle on every part that a fault can break. */
export type Rig = StackDetails & {
  /** All files of the platform, logs included; removed at the end. */
  readonly dir: string
  /** Key of a tenant that only this rig uses, with every scope. */
  readonly apiKey: string
  /** A key with every scope, of a tenant that is made for it. */
  newKey(tenantName: string): Promise<string>
  readonly servers: {
    readonly api: readonly Server[]
    readonly primary: Server
    readonly replica: Server
    readonly redis: Server
  }
  /** Only on a rigged platform. */
  readonly rigged?: Rigging
}

export type Rigging = {
  /** Between the API and each server. */
  readonly links: { readonly primary: Link; readonly replica: Link; readonly redis: Link }
  /** Holds all files of the platform; absent where it cannot be mounted. */
  readonly disk?: SmallDisk
  /** Sets the clocks of all API instances ahead by this much; behind when negative. */
  shiftClock(ms: number): void
}

export type RigOptions = {
  readonly dir: string
  readonly details: StackDetails
  /** As the API instances were given them. */
  readonly ways: StackDetails['urls']
  readonly apiEnv: Readonly<Record<string, string>>
  readonly redisServer: string
  readonly guard: Guard
}

export const clockFile = (dir: string): string => join(dir, 'clock-shift')
export const setClockShift = (dir: string, ms: number): void => writeFileSync(clockFile(dir), String(ms))

/** The handles on the servers of a platform that is up. */
export function serversOf({ dir, details, ways, apiEnv, redisServer, guard }: RigOptions): Rig['servers'] {
  const processes = () => readRecord(dir)?.processes ?? []
  const server = (name: string, startAgain: () => Promise<ServerProcess>): Server => {
    const first = processes().find((one) => one.name === name)
    if (first === undefined) throw new Failure(`there is no ${name} among what was started`)
    return serverOf(first, async () => {
      const started = await startAgain()
      writeDown(started)
      return started
    })
  }
  const writeDown = (started: ServerProcess) => {
    const record = readRecord(dir)
    if (record === undefined) return
    const others = record.processes.filter(({ name }) => name !== started.name)
    // In the order in which they began: the API is stopped first, then from the last to the first.
    const at = record.processes.findIndex(({ name }) => name === started.name)
    writeRecord(dir, { ...record, processes: others.toSpliced(at === -1 ? others.length : at, 0, started) })
  }
  const postgres = (name: 'primary' | 'replica', url: string) =>
    server(`postgres ${name}`, async () => {
      const { port, password } = new URL(url)
      const superuserPassword = decodeURIComponent(password)
      return (await startPostgresAgain(name, { dir, port: Number(port), superuserPassword, guard })).process
    })
  const api: ApiOptions = {
    dir,
    port: Number(new URL(details.apiUrl).port),
    host: '127.0.0.1',
    instances: details.api.length,
    urls: ways,
    guard,
    env: apiEnv,
    onStart: writeDown,
  }
  return {
    api: details.api.map(({ id }) => server(id, async () => (await startApiInstance(id, api)).process)),
    primary: postgres('primary', details.urls.owner),
    replica: postgres('replica', details.urls.ownerReplica),
    redis: server('redis', async () => {
      const port = Number(new URL(details.urls.redis).port)
      return (await startRedis({ dir, port, command: redisServer, guard })).process
    }),
  }
}
