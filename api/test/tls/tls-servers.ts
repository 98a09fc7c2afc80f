import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from '../../../platform/machine/free-port.ts'
import { type Guard, startGuard } from '../../../platform/stack/guard.ts'
import { postgresUrl, startPostgresPair } from '../../../platform/stack/postgres-pair.ts'
import { makeTempDir, unprivilegedUser } from '../../../platform/stack/run-as.ts'
import { type Certificates, makeCertificates } from '../../../platform/test-support/certificates.ts'

export type TlsServers = {
  /** Of who signed the servers' certificates. */
  readonly ca: string
  /** Of somebody else. */
  readonly otherCa: string
  readonly urls: { readonly owner: string; readonly primary: string; readonly replica: string; readonly redis: string }
  stop(): Promise<void>
}

const MIGRATE = fileURLToPath(new URL('../../src/commands/db-migrate.ts', import.meta.url))

/** A Postgres pair with TLS, migrated over it, and a Redis that speaks nothing else. */
export async function startTlsServers(): Promise<TlsServers> {
  const dir = makeTempDir('hopwhistle-tls-')
  const guard = startGuard()
  guard.remove(dir)
  const folder = (name: string) => {
    mkdirSync(join(dir, name), { mode: 0o755 })
    return join(dir, name)
  }
  const certificates = makeCertificates(folder('certificates'))
  const other = makeCertificates(folder('other'))
  const pair = await startPostgresPair({
    dir: folder('pair'),
    guard,
    settings: { fsync: 'off', shared_buffers: '32MB', ssl: 'on', ...forPostgres(certificates, folder('for-postgres')) },
  })
  const redis = await startRedis(folder('redis'), certificates, guard)
  const secured = (url: string) => `${url}?sslmode=verify-full&sslrootcert=${encodeURIComponent(certificates.ca)}`
  const owner = postgresUrl(pair.primary.port, 'postgres', 'postgres', pair.superuserPassword)
  const api = (port: number) => secured(postgresUrl(port, 'postgres', 'hopwhistle_api', 'of a test'))
  await promisify(execFile)(process.execPath, [MIGRATE], {
    env: { PATH: process.env.PATH, MIGRATION_DATABASE_URL: secured(owner), API_DATABASE_PASSWORD: 'of a test' },
  })
  return {
    ca: certificates.ca,
    otherCa: other.ca,
    urls: {
      owner: secured(owner),
      primary: api(pair.primary.port),
      replica: api(pair.replica.port),
      redis: `rediss://127.0.0.1:${redis.port}`,
    },
    stop: async () => {
      redis.process.kill('SIGKILL')
      await pair.stop()
      guard.off()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Postgres refuses a key that others may read, and one that is not its own. */
function forPostgres({ certificate, key }: Certificates, dir: string): Record<string, string> {
  const own = (from: string, name: string) => {
    const to = join(dir, name)
    cpSync(from, to)
    chmodSync(to, 0o600)
    const user = unprivilegedUser()
    if (user !== undefined) chownSync(to, user.uid, user.gid)
    return to
  }
  return { ssl_cert_file: own(certificate, 'server.pem'), ssl_key_file: own(key, 'server.key') }
}

async function startRedis(
  dir: string,
  { ca, certificate, key }: Certificates,
  guard: Guard,
): Promise<{ readonly process: ChildProcess; readonly port: number }> {
  const port = await freePort()
  const settings = {
    port: '0',
    'tls-port': String(port),
    'tls-cert-file': certificate,
    'tls-key-file': key,
    'tls-ca-cert-file': ca,
    'tls-auth-clients': 'no',
    bind: '127.0.0.1',
    save: '',
    dir,
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  guard.watch(child.pid as number, 'SIGKILL')
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (text) => {
      said += text
      if (said.includes('Ready to accept connections')) resolve()
    })
    child.once('exit', () => reject(new Error(`redis-server ended:\n${said}`)))
    child.once('error', reject)
  })
  return { process: child, port }
}
