/** Runs the scenarios in real k6 processes. */
import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, readFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { K6Result } from '../../results-format.ts'

const SCENARIOS = fileURLToPath(new URL('../../scenarios/', import.meta.url))

/** Where k6 is: `$K6`, on the PATH, or where `go install` puts it; undefined when it is nowhere. */
export const k6Path: string | undefined = [
  process.env.K6,
  ...(process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'k6')),
  join(process.env.GOPATH ?? join(homedir(), 'go'), 'bin', 'k6'),
].find((path) => path !== undefined && path !== '' && isExecutable(path))

export const withK6 = k6Path === undefined ? ' (skipped: no k6 in $K6, on the PATH or in GOPATH/bin)' : ''

export type Run = { readonly code: number; readonly stdout: string; readonly stderr: string; readonly folder: string }

/** Runs one scenario to its end. Its result is written to `folder`. */
export async function runK6(
  scenario: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), 'hopwhistle-k6-'))
  const given = Object.entries({ RESULTS_DIR: folder, ...env }).flatMap(([name, value]) => [
    '--env',
    `${name}=${value}`,
  ])
  const all = ['run', '--quiet', '--no-usage-report', '--address', '', ...given, ...args, join(SCENARIOS, scenario)]
  return new Promise((resolve) => {
    execFile(k6Path ?? 'k6', all, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, stdout, stderr, folder })
    })
  })
}

/** Runs a scenario as several k6 processes at once, each with its segment of the load. */
export async function runSegments(
  scenario: string,
  env: Readonly<Record<string, string>>,
  runners: number,
  argsOf: (runner: number) => readonly string[] = () => [],
): Promise<readonly Run[]> {
  const edges = Array.from({ length: runners + 1 }, (_, i) => (i === 0 ? '0' : i === runners ? '1' : `${i}/${runners}`))
  return Promise.all(
    Array.from({ length: runners }, (_, i) =>
      runK6(scenario, { ...env, PARALLELISM: String(runners) }, [
        ...['--execution-segment', `${edges[i]}:${edges[i + 1]}`],
        ...['--execution-segment-sequence', edges.join(',')],
        ...argsOf(i),
      ]),
    ),
  )
}

export async function resultOf(run: Run, file: string): Promise<K6Result> {
  return JSON.parse(await readFile(join(run.folder, file), 'utf8')) as K6Result
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
