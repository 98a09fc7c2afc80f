import { execFileSync, type SpawnOptions, spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { freePort } from '../../platform/machine/free-port.ts'
import { makeTempDir, unprivilegedUser } from '../../platform/stack/run-as.ts'
import { CHECKOUT } from './run.ts'

type Place = { readonly name: string; readonly data: string; readonly port: number }

export type ScriptedServer = {
  /** All that it and its script have printed so far. */
  said(): string
  /** Ends it and all that it runs, at once. */
  kill(): Promise<void>
  /** As Kubernetes and Docker stop it: resolves with its exit code, or the signal that ended it. */
  stop(): Promise<number | string | null>
}

/**
 * A primary and a replica as the charts and compose.yaml start them, with compose/postgres.conf. Nothing runs at first, and all
 * is gone when the test ends.
 *
 * @param bin a folder with initdb, postgres, pg_basebackup and psql
 * @param more options of the primary
 */
export async function scriptedPair(bin: string, more: readonly string[] = []) {
  const user = unprivilegedUser()
  const dir = makeTempDir('hopwhistle-scripts-', user)
  if (user !== undefined) chownSync(dir, user.uid, user.gid)
  const place = async (name: string): Promise<Place> => {
    mkdirSync(join(dir, name))
    if (user !== undefined) chownSync(join(dir, name), user.uid, user.gid)
    return { name, data: join(dir, name, 'postgres'), port: await freePort() }
  }
  const servers = { primary: await place('primary'), replica: await place('replica') }
  const file = (name: string, text: string) => {
    writeFileSync(join(dir, name), text)
    // The user of Postgres may be unable to enter the checkout.
    chmodSync(join(dir, name), 0o644)
    return join(dir, name)
  }
  const read = (path: string) => readFileSync(join(CHECKOUT, path), 'utf8')
  const settings = file('postgresql.conf', read('compose/postgres.conf'))
  const hba = file('pg_hba.conf', `local all all trust\n${read('cdk8s/scripts/pg_hba.conf')}`)

  const options = ({ data, port }: Place): SpawnOptions => ({
    cwd: dir,
    env: {
      PATH: `${bin}:${process.env.PATH}`,
      LC_ALL: 'C',
      HOSTNAME: 'pod-0',
      KUBERNETES_SERVICE_HOST: '10.0.0.1',
      PGHOST: dir,
      PGPORT: String(port),
      PGDATA: data,
      PRIMARY_HOST: '127.0.0.1',
      PRIMARY_PORT: String(servers.primary.port),
      REPLICA_HOST: '127.0.0.1',
      REPLICA_PORT: String(servers.replica.port),
      REPLICATION_PASSWORD: "it's a secret",
      OWNER_PASSWORD: "it's the owner's",
    },
    ...user,
  })
  const local = ['-clisten_addresses=127.0.0.1', `-cunix_socket_directories=${dir}`, '-cfsync=off']
  const settingsOf = ({ port }: Place) => [`-cconfig_file=${settings}`, `-cport=${port}`, ...local]
  const once = (at: Place, command: string, args: readonly string[]) =>
    execFileSync(command, args, { ...options(at), stdio: 'pipe' } as object)

  const running: ScriptedServer[] = []
  let starts = 0
  const start = (at: Place, command: string, args: readonly string[]): ScriptedServer => {
    const log = join(dir, `${at.name}-${++starts}.log`)
    const output = openSync(log, 'w')
    // A group of its own, so that a script is killed together with what it runs.
    const child = spawn(command, args, { ...options(at), stdio: ['ignore', output, output], detached: true })
    const ended = new Promise<number | string | null>((resolve) =>
      child.once('exit', (code, signal) => resolve(code ?? signal)),
    )
    const server = {
      said: () => readFileSync(log, 'utf8'),
      kill: async () => {
        try {
          process.kill(-(child.pid ?? 0), 'SIGKILL')
        } catch {
          // It has ended.
        }
        await ended
      },
      stop: () => {
        child.kill('SIGTERM')
        return ended
      },
    }
    running.push(server)
    return server
  }
  const script = (at: Place, name: string, options: readonly string[]) =>
    start(at, 'sh', ['-c', read(`cdk8s/scripts/${name}`), name, ...settingsOf(at), ...options])
  onTestFinished(async () => {
    await Promise.all(running.map((server) => server.kill()))
    rmSync(dir, { recursive: true, force: true })
  })

  return {
    primaryData: servers.primary.data,
    replicaData: servers.replica.data,
    startPrimary: () => script(servers.primary, 'start-primary.sh', [`-chba_file=${hba}`, ...more]),
    startReplica: () => script(servers.replica, 'start-replica.sh', [`-chba_file=${hba}`]),
    /** Whether the probe of the chart's replica passes. */
    follows: () => {
      try {
        once(servers.replica, 'sh', ['-c', read('cdk8s/scripts/replica-follows.sh')])
        return true
      } catch {
        return false
      }
    },
    /** What the readiness probe of the chart's primary does, with these in the Secret. @returns what it printed */
    setPasswords: (passwords: Readonly<Record<string, string>>) => {
      mkdirSync(join(dir, 'credentials'), { recursive: true })
      for (const [key, password] of Object.entries(passwords)) file(`credentials/${key}`, password)
      const script = `export CREDENTIALS="$PGHOST/credentials" TMPDIR="$PGDATA"; exec 2>&1; ${read('cdk8s/scripts/set-passwords.sh')}`
      return once(servers.primary, 'sh', ['-c', script]).toString()
    },
    /** Whether the primary lets a user in by TCP. */
    logsIn: (user: string, password: string) =>
      ask('127.0.0.1', servers.primary.port, 'select 1', { user, password }).then(
        () => true,
        () => false,
      ),
    /** Runs a command as the user of Postgres. @returns what it printed */
    run: (command: string, ...args: readonly string[]) => once(servers.primary, command, args).toString(),
    askPrimary: (sql: string) => ask(dir, servers.primary.port, sql),
    askReplica: (sql: string) => ask(dir, servers.replica.port, sql),
  }
}

async function ask(
  host: string,
  port: number,
  sql: string,
  as: { readonly user: string; readonly password?: string } = { user: 'postgres' },
): Promise<readonly unknown[]> {
  const client = new pg.Client({ host, port, database: 'hopwhistle', ...as })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
