/**
 * Makes the machine short of CPU: on every core several servers that never sleep, and a generator that never does
 * either. Prints, as JSON, which part of the CPU time of all of them the generator got before and after it was given
 * the right of way, and what is in force. A program of its own, so that a test can run it as another user and in
 * another control group.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { descendantsOf } from '@hopwhistle/platform/machine/process-group.ts'
import { inBatchClass } from '../../bench/priority/batch-scheduling.ts'
import { giveRightOfWay } from '../../bench/priority/right-of-way.ts'
import type { GeneratorPriority } from '../../bench/sample/environment.ts'

const FOR_EVER = 'while :; do :; done'
export type ShortOfCpu = {
  readonly priority: GeneratorPriority
  /** The generator's part of the CPU time, 0 to 1: with even shares, with the right of way, and with twice the servers. */
  readonly shareBefore: number
  readonly shareAfter: number
  readonly shareWithMoreSessions: number
}

/** Like Postgres, it starts processes in sessions of their own, and does so whenever it is asked. */
const SERVER = `trap 'setsid sh -c "${FOR_EVER}" &' USR1; ${FOR_EVER}`
/** CPU time of all of them together that a share is taken of. */
const SHARE_OF_SECONDS = 4

const started: number[] = []
const start = (script: string, into = (command: readonly [string, ...string[]]) => command): number => {
  const [command, ...args] = into(['/bin/sh', '-c', script])
  const { pid } = spawn(command, args, { detached: true, stdio: 'ignore' })
  started.push(pid!)
  return pid!
}
const all = () => started.flatMap((pid) => descendantsOf(pid))

try {
  const cores = availableParallelism()
  const servers = Array.from({ length: 3 * cores }, () => start(SERVER))
  // Enough of them to be on every core: two alone may stay on the same one for seconds.
  const busy = 2 * cores
  const generator = start(`${`sh -c '${FOR_EVER}' & `.repeat(busy)} wait`, inBatchClass)
  const childrenOf = (pid: number, count: number) => () => descendantsOf(pid).length === 1 + count
  await waitUntil('the generator to run', childrenOf(generator, busy), { timeoutMs: 20_000 })

  const shareBefore = await generatorShare(generator, servers)
  const way = giveRightOfWay(servers)
  await way.settled()
  await way.to(generator)
  const shareAfter = await generatorShare(generator, servers)
  // Sessions that start during the measurement.
  for (const pid of servers) process.kill(pid, 'SIGUSR1')
  for (const pid of servers) await waitUntil('a server to start a session', childrenOf(pid, 1), { timeoutMs: 60_000 })
  const priority = await way.to(generator)
  const shareWithMoreSessions = await generatorShare(generator, servers)
  await way.end()
  const seen: ShortOfCpu = { priority, shareBefore, shareAfter, shareWithMoreSessions }
  process.stdout.write(JSON.stringify(seen))
} finally {
  for (const pid of all()) process.kill(pid, 'SIGKILL')
}

/** Of the CPU time that generator and servers use from now on, the part that the generator gets. */
async function generatorShare(generator: number, servers: readonly number[]): Promise<number> {
  const before = { generator: cpuOf([generator]), servers: cpuOf(servers) }
  let grown = { generator: 0, servers: 0 }
  await waitUntil(
    'the processes to use CPU',
    () => {
      grown = {
        generator: cpuOf([generator]) - before.generator,
        servers: cpuOf(servers) - before.servers,
      }
      return grown.generator + grown.servers > SHARE_OF_SECONDS
    },
    { timeoutMs: 120_000, everyMs: 100 },
  )
  return grown.generator / (grown.generator + grown.servers)
}

/** In seconds, of these processes and those below them. */
function cpuOf(pids: readonly number[]): number {
  return pids
    .flatMap((pid) => descendantsOf(pid))
    .reduce((sum, pid) => sum + Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]) / 1e9, 0)
}
