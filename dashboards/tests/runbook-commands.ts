/** The commands of the runbooks, run as a person would: with the addresses of a real platform in the environment. */
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { onPath } from '@hopwhistle/platform/machine/run-program.ts'
import type { StackDetails } from '@hopwhistle/platform/stack/stack-record.ts'
import { readRunbook } from '../src/boards/runbooks.ts'
import { ADDRESSES } from '../src/runbook-link.ts'
import { RUNBOOKS } from '../src/runbook-names.ts'

export type Command = { readonly runbook: string; readonly line: string; readonly program: string }

const commandsIn = (text: string): readonly string[] =>
  [...text.matchAll(/```bash\n([\s\S]*?)```/g)].map(([, block = '']) => block.trim())

/** The lines of addresses.md that set the variables of the commands in a cluster. */
export const setAddresses = (): string => commandsIn(readRunbook(ADDRESSES)).join('\n')

export const COMMANDS: readonly Command[] = RUNBOOKS.flatMap((runbook) =>
  commandsIn(readRunbook(runbook)).flatMap((block) =>
    block.split('\n').map((line) => ({ runbook, line, program: line.split(' ', 1)[0] ?? '' })),
  ),
)

/** Commands that need no cluster. */
export const runnable = (): readonly Command[] =>
  COMMANDS.filter(({ line, program }) => !line.includes('$NAMESPACE') && onPath(program) !== undefined)

/** Commands that work in every cluster and change nothing. */
export const runnableInCluster = (): readonly Command[] =>
  COMMANDS.filter(
    ({ line, program }) =>
      onPath(program) !== undefined && ![CHANGES, OF_OPERATORS, OF_SCHEDULED_RUNS].some((kind) => kind.test(line)),
  )
const CHANGES = / (?:create|scale|rollout|delete|touch) /
/** Commands on resources of k6-operator and Prometheus Operator. */
const OF_OPERATORS = /testruns|app=k6|servicemonitors/
/** Commands on one scheduled run or its result: the reader puts in its name. */
const OF_SCHEDULED_RUNS = /(?<!\$)\b(?:NAME|JOB)\b/

export type Addresses = Readonly<Record<string, string>>

export const addressesOf = ({ api, apiUrl, urls, monitoring }: StackDetails): Addresses => ({
  API: apiUrl,
  ADMIN: api[0]?.adminUrl ?? '',
  PRIMARY: urls.owner,
  REPLICA: urls.ownerReplica,
  REDIS: urls.redis,
  PROMETHEUS: monitoring?.prometheus ?? '',
})

/** Output may be empty: Redis had no slow command, no container ended before, there is no autoscaler, or no result is kept. */
const mayAnswerNothing = (line: string): boolean => / slowlog get | --previous | get hpa|kept-result/.test(line)

/** Error outputs with which `curl` and `redis-cli` still exit with 0. */
const REFUSED = /"statusCode":404|404 page not found|^(?:ERR|NOAUTH|NOPERM|WRONGPASS) /m

/** @returns what is wrong with the command; undefined when it worked */
export async function problemOf({ runbook, line }: Command, addresses: Addresses): Promise<string | undefined> {
  // Without HOME, kubectl writes its cache into the working directory.
  const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? tmpdir(), ...addresses }
  try {
    const { stdout } = await promisify(execFile)('bash', ['-o', 'pipefail', '-c', line], { env, timeout: 20_000 })
    const isQuery = line.includes('/api/v1/query')
    if (isQuery && !stdout.startsWith('{"status":"success"')) return `${runbook}: ${line}\n${stdout}`
    const saysNothing = stdout.trim() === '' && !mayAnswerNothing(line)
    return saysNothing || REFUSED.test(stdout) ? `${runbook}: ${line}\n${stdout}` : undefined
  } catch (error) {
    return `${runbook}: ${line}\n${(error as { stderr?: string }).stderr || error}`
  }
}
