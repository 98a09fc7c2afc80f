/**
 * What it saves that k6 does not interrupt the platform (SCHED_BATCH): redis-pubsub with and without, in turns.
 *
 *   make up && node loadtests/test/priority/batch.bench.ts [--rounds=3] [--seconds=30]
 *
 * Needs Linux, chrt, and nothing else that runs. Prints for each turn the latencies and the CPU of k6 and of the API.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { CHECKOUT } from '@hopwhistle/platform/lib/checkout.ts'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { descendantsOf } from '@hopwhistle/platform/machine/process-group.ts'
import { duringPhase, mean } from '../../bench/evidence/evidence.ts'
import { isInBatchClass } from '../../bench/priority/batch-scheduling.ts'
import { readResultFile } from '../../bench/run/result-files.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '30' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log('Usage: make up && node loadtests/test/priority/batch.bench.ts [--rounds=3] [--seconds=30]')
  process.exit()
}

for (let round = 0; round < Number(values.rounds); round++) {
  const ways = ['batch', 'other'] as const
  for (const policy of round % 2 === 0 ? ways : ways.toReversed()) await turn(policy)
}

async function turn(policy: 'batch' | 'other'): Promise<void> {
  const resultsDir = mkdtempSync(join(tmpdir(), 'hopwhistle-batch-'))
  const args = ['loadtests/bench/main.ts', 'run', 'redis-pubsub', '--results-dir', resultsDir, '--wait']
  const env = { ...process.env, RAMP_SECONDS: '5', PEAK_SECONDS: values.seconds }
  const child = spawn(process.execPath, args, { cwd: CHECKOUT, env, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = text(child.stderr)
  const startedK6 = waitUntil('k6 to start', () => descendantsOf(child.pid!).find(isInBatchClass), {
    timeoutMs: 60_000,
  })
  const k6 = await Promise.race([startedK6, ended.then((said) => Promise.reject(new Error(said)))])
  // Most of its threads begin in the first second, and inherit the policy.
  if (policy === 'other') execFileSync('chrt', ['--all-tasks', '--other', '--pid', '0', String(k6)])
  await ended
  const result = readResultFile(join(resultsDir, 'redis-pubsub.json'))
  const latencies = result.verdict!.metrics.filter(({ name }) => /^p\d/.test(name))
  const cpu = result.server!.processes.filter(({ name }) => /^(k6|api)/.test(name))
  console.log(
    policy.padEnd(6),
    ...latencies.map(({ name, measured }) => `${name} ${measured?.toFixed(0)} ms `),
    ...cpu.map(
      ({ name, cpuCores }) => `${name} ${mean(duringPhase(result, result.server!)(cpuCores))?.toFixed(2)} cores `,
    ),
  )
  rmSync(resultsDir, { recursive: true })
}
