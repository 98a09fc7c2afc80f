import { execFileSync, type SpawnOptions, spawn } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { waitUntil } from '../../platform/lib/wait-until.ts'
import { freePort } from '../../platform/machine/free-port.ts'
import { makeTempDir, unprivilegedUser } from '../../platform/stack/run-as.ts'
import { CHECKOUT } from './run.ts'

/**
 * A primary with compose/postgres.conf, set up by compose/allow-replication.sh as its Docker image would, and replicas of
 * it by compose/start-replica.sh. All is gone when the test ends.
 *
 * @param bin a folder with initdb, postgres, pg_basebackup and psql
 */
export async function composePair(bin: string) {
  const user = unprivilegedUser()
  const dir = makeTempDir('hopwhistle-compose-', user)
  if (user !== undefined) chownSync(dir, user.uid, user.gid)
  const [primaryPort, replicaPort] = [await freePort(), await freePort()]
  const [primaryData, replicaData] = [join(dir, 'primary'), join(dir, 'replica', 'data')]
  const script = (file: string) => readFileSync(join(CHECKOUT, 'compose', file), 'utf8')

  const options = (port: number, data: string): SpawnOptions => ({
    cwd: dir,
    stdio: 'ignore',
    env: {
      PATH: `${bin}:${process.env.PATH}`,
      LC_ALL: 'C',
      PGHOST: dir,
      PGPORT: String(port),
      PGDATA: data,
      PRIMARY_HOST: '127.0.0.1',
      PRIMARY_PORT: String(primaryPort),
      REPLICATION_PASSWORD: "it's a secret",
    },
    ...user,
  })
  // Copied, for the user of Postgres may be unable to enter the checkout.
  const settings = join(dir, 'postgresql.conf')
  copyFileSync(join(CHECKOUT, 'compose/postgres.conf'), settings)
  chmodSync(settings, 0o644)
  const local = ['-clisten_addresses=127.0.0.1', `-cunix_socket_directories=${dir}`, '-cfsync=off']
  const postgres = (port: number) => ['postgres', `-cconfig_file=${settings}`, `-cport=${port}`, ...local]
  const once = (command: string, args: readonly string[]) =>
    execFileSync(command, args, options(primaryPort, primaryData) as object)
  const running: { kill(): Promise<void> }[] = []
  const start = (port: number, data: string, command: string, args: readonly string[]) => {
    // A group of its own, so that a script is killed together with what it runs.
    const child = spawn(command, args, { ...options(port, data), detached: true })
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    const server = {
      kill: () => {
        if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
          process.kill(-child.pid, 'SIGKILL')
        return gone
      },
    }
    running.push(server)
    return server
  }
  onTestFinished(async () => {
    await Promise.all(running.map((server) => server.kill()))
    rmSync(dir, { recursive: true, force: true })
  })

  once('initdb', ['--username=postgres', '--auth-local=trust', '--auth-host=scram-sha-256', '--no-sync'])
  const [command = '', ...args] = postgres(primaryPort)
  start(primaryPort, primaryData, command, args)
  const created = () => {
    once('psql', ['--username=postgres', '--command=create database hopwhistle'])
    return true
  }
  await waitUntil('the primary', created, { timeoutMs: 20_000 })
  once('sh', ['-c', script('allow-replication.sh')])
  await ask(dir, primaryPort, 'select pg_reload_conf()')

  return {
    replicaData,
    startReplica: () =>
      start(replicaPort, replicaData, 'sh', [
        '-c',
        script('start-replica.sh'),
        'start-replica.sh',
        ...postgres(replicaPort),
      ]),
    askPrimary: (sql: string) => ask(dir, primaryPort, sql),
    askReplica: (sql: string) => ask(dir, replicaPort, sql),
  }
}

async function ask(host: string, port: number, sql: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ host, port, user: 'postgres', database: 'hopwhistle' })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
