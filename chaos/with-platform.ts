import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../loadtests/bench/lib/free-port.ts'
import type { Terminal } from '../loadtests/bench/lib/terminal.ts'
import { startGuard } from '../loadtests/bench/stack/guard.ts'
import { makeTempDir } from '../loadtests/bench/stack/run-as.ts'
import { CHECKOUT, readRecord, type StackDetails } from '../loadtests/bench/stack/stack-record.ts'
import { startStack } from '../loadtests/bench/stack/start-stack.ts'
import { stopStack } from '../loadtests/bench/stack/stop-stack.ts'
import { findRedis } from '../loadtests/bench/tools/find-redis.ts'

export type Platform = StackDetails & {
  /** Holds everything of the platform, its logs among it; removed at the end. */
  readonly dir: string
  /** Of a tenant of its own, with every scope. */
  readonly apiKey: string
}

export type PlatformOptions = {
  readonly instances: number
  readonly apiEnv?: Readonly<Record<string, string>>
  readonly terminal: Terminal
  readonly signal?: AbortSignal
}

const KEYS = join(CHECKOUT, 'api', 'src', 'commands', 'keys.ts')

/** Starts a whole platform of one's own, empty but for a tenant with a key, and stops it however its use ends. */
export async function withPlatform<T>(
  { instances, apiEnv, terminal, signal }: PlatformOptions,
  use: (platform: Platform) => Promise<T>,
): Promise<T> {
  const dir = makeTempDir('hopwhistle-chaos-')
  const guard = startGuard()
  guard.remove(dir)
  try {
    const details = await startStack({
      dir,
      port: { number: await freePort(), when: 'preferred' },
      host: '127.0.0.1',
      instances,
      demoData: false,
      redisServer: await findRedis(terminal, signal),
      guard,
      terminal,
      ...(apiEnv === undefined ? {} : { apiEnv }),
      ...(signal === undefined ? {} : { signal }),
    })
    return await use({ ...details, dir, apiKey: await createKey(details.urls.owner) })
  } finally {
    const record = readRecord(dir)
    if (record !== undefined) await stopStack(dir, record)
    terminal.clear()
    guard.off()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function createKey(ownerUrl: string): Promise<string> {
  const env = { PATH: process.env.PATH, MIGRATION_DATABASE_URL: ownerUrl }
  const { stdout } = await promisify(execFile)(process.execPath, [KEYS, 'create', '--new-tenant', 'chaos'], { env })
  return stdout.trim()
}
