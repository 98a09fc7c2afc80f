/** A script with all that it imports and opens, and its options, as one file of k6: what a cluster gets of it. */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { number } from '@hopwhistle/platform/document/figures.ts'
import type { K6 } from '@hopwhistle/platform/tools/find-k6.ts'
import { MOST_ARCHIVE_BYTES } from '../cluster/own-belongings.ts'
import { lastWords } from '../collect/last-words.ts'
import { INSTRUMENT } from './measure-own.ts'
import { planOf, wrapperOf } from './plan-run.ts'
import type { Targets } from './targets-file.ts'

export type Archive = {
  readonly content: Buffer
  /** At most, by its options: with the time that iterations may take to end. */
  readonly seconds: number
  readonly maxVUs: number
}

export type ArchiveOptions = {
  readonly k6: K6
  readonly name: string
  /** An absolute path. */
  readonly script: string
  readonly targets: Targets
  readonly runId: string
  /** Options of k6, as `--vus 10`: they are in the archive. */
  readonly k6Options: readonly string[]
  /** In the archive, for everybody who may read it. */
  readonly env: Readonly<Record<string, string>>
  readonly scratchDir: string
}

/** @throws {Failure} when k6 cannot load the script, or it is too large for a ConfigMap */
export async function archiveScript(options: ArchiveOptions): Promise<Archive> {
  const { k6, name, script, targets, runId, k6Options, env, scratchDir } = options
  mkdirSync(scratchDir, { recursive: true, mode: 0o700 })
  const [wrapper, file] = [join(scratchDir, 'run.js'), join(scratchDir, 'archive.tar')]
  // Which runner it is, is said by its pod.
  const plan = planOf(targets, { runId, instance: '1', resultFile: 'log' })
  writeFileSync(wrapper, wrapperOf(plan, { instrument: INSTRUMENT, script }))
  const call = async (...args: readonly string[]): Promise<string> => {
    const own = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/' }
    try {
      return (await promisify(execFile)(k6.command, args, { env: own, maxBuffer: 1 << 26 })).stdout
    } catch (error) {
      const { stderr = '', message } = error as Error & { readonly stderr?: string }
      throw new Failure(`k6 cannot archive ${name}: ${lastWords(stderr) ?? message}`)
    }
  }
  const given = Object.entries(env).flatMap(([variable, value]) => ['--env', `${variable}=${value}`])
  await call('archive', '--include-system-env-vars=false', ...given, ...k6Options, '--archive-out', file, wrapper)
  const content = readFileSync(file)
  if (content.length > MOST_ARCHIVE_BYTES) {
    throw new Failure(
      `${name} with all that it imports and opens is ${number(content.length)} bytes; a ConfigMap holds ${number(MOST_ARCHIVE_BYTES)}: open less, or put it on a server`,
    )
  }
  const { totalDuration, maxVUs } = JSON.parse(await call('inspect', '--execution-requirements', file)) as {
    readonly totalDuration: string
    readonly maxVUs: number
  }
  return { content, seconds: goSeconds(totalDuration), maxVUs }
}

const UNITS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001, µs: 1e-6, ns: 1e-9 }

/** `1h2m3.5s` of Go. */
export const goSeconds = (duration: string): number =>
  [...duration.matchAll(/([\d.]+)(h|ms|µs|ns|m|s)/g)].reduce(
    (sum, [, count, unit = 's']) => sum + Number(count) * (UNITS[unit] ?? 0),
    0,
  )
