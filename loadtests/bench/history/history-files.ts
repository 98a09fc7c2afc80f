/** The history of each environment: `loadtests/baselines/history/<environment>.jsonl`, a line for each run. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import { RUN_FORMAT, type RunRecord } from './run-record.ts'

const ENDING = '.jsonl'

export type EnvironmentHistory = {
  readonly environment: string
  /** In the order in which they were made. */
  readonly runs: readonly RunRecord[]
}

/** @returns by name of environment; none when there is no such folder. @throws {Failure} when a line is no run */
export async function readHistories(folder: string): Promise<readonly EnvironmentHistory[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const files = names.filter((name) => name.endsWith(ENDING)).sort()
  return Promise.all(
    files.map(async (file) => ({
      environment: file.slice(0, -ENDING.length),
      runs: inOrder(await readRuns(join(folder, file))),
    })),
  )
}

async function readRuns(path: string): Promise<readonly RunRecord[]> {
  const lines = (await readFile(path, 'utf8')).split('\n')
  return lines.flatMap((line, i) => (line === '' ? [] : [parsed(line, `${path}:${i + 1}`)]))
}

function parsed(line: string, place: string): RunRecord {
  let record: Partial<RunRecord> | null
  try {
    record = JSON.parse(line)
  } catch (error) {
    throw new Failure(`${place} is not JSON: ${(error as Error).message}`)
  }
  if (record?.format !== RUN_FORMAT) {
    throw new Failure(`${place} has the format "${record?.format}"; expected "${RUN_FORMAT}"`)
  }
  return record as RunRecord
}

/**
 * Adds runs to the histories of their environments. A run that is there already is not added again.
 *
 * @returns those that were added
 */
export async function addRuns(folder: string, runs: readonly RunRecord[]): Promise<readonly RunRecord[]> {
  const before = new Map((await readHistories(folder)).map((history) => [history.environment, history.runs]))
  const added: RunRecord[] = []
  for (const environment of new Set(runs.map((run) => run.environment.name))) {
    const there = before.get(environment) ?? []
    const known = new Set(there.map(keyOf))
    const newer = runs.filter((run) => run.environment.name === environment && !known.has(keyOf(run)))
    if (newer.length === 0) continue
    const lines = inOrder([...there, ...newer]).map((run) => `${JSON.stringify(run)}\n`)
    await writeWhole(join(folder, `${environment}${ENDING}`), lines.join(''))
    added.push(...newer)
  }
  return added
}

const keyOf = ({ scenario, runId }: RunRecord): string => `${scenario} ${runId}`

const inOrder = (runs: readonly RunRecord[]): readonly RunRecord[] =>
  runs.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0))
