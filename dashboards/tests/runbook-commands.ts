/** The commands of the runbooks, run as a person would: with the addresses of a real platform in the environment. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { onPath } from '../../loadtests/bench/lib/run-program.ts'
import type { StackDetails } from '../../loadtests/bench/stack/stack-record.ts'
import { readRunbook } from '../src/boards/runbooks.ts'
import { RUNBOOKS } from '../src/runbook-names.ts'

export type Command = { readonly runbook: string; readonly line: string; readonly program: string }

/** A cluster is where these would have to run. */
const ELSEWHERE = new Set(['kubectl'])

export const COMMANDS: readonly Command[] = RUNBOOKS.flatMap((runbook) =>
  [...readRunbook(runbook).matchAll(/```bash\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block
      .trim()
      .split('\n')
      .map((line) => ({ runbook, line, program: line.split(' ', 1)[0] ?? '' })),
  ),
)

export const runnable = (): readonly Command[] =>
  COMMANDS.filter(({ program }) => !ELSEWHERE.has(program) && onPath(program) !== undefined)

/** Redis says nothing at all when it had no slow command. */
const mayAnswerNothing = (line: string): boolean => line.includes(' slowlog get ')

/** @returns what is wrong with it; undefined when it did what it says */
export async function problemOf({ runbook, line }: Command, details: StackDetails): Promise<string | undefined> {
  const env = {
    PATH: process.env.PATH ?? '',
    API: details.apiUrl,
    PRIMARY: details.urls.owner,
    REPLICA: details.urls.ownerReplica,
    REDIS: details.urls.redis,
    PROMETHEUS: details.monitoring?.prometheus ?? '',
  }
  try {
    const { stdout } = await promisify(execFile)('bash', ['-o', 'pipefail', '-c', line], { env, timeout: 20_000 })
    const isQuery = line.includes('/api/v1/query')
    if (isQuery && !stdout.startsWith('{"status":"success"')) return `${runbook}: ${line}\n${stdout}`
    const saysNothing = stdout.trim() === '' && !mayAnswerNothing(line)
    return saysNothing || /"statusCode":404|404 page not found/.test(stdout)
      ? `${runbook}: ${line}\n${stdout}`
      : undefined
  } catch (error) {
    return `${runbook}: ${line}\n${(error as { stderr?: string }).stderr ?? error}`
  }
}
