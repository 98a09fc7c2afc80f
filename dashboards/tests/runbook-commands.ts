/** The commands of the runbooks, run as a person would: with the addresses of a real platform in the environment. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { onPath } from '../../loadtests/bench/lib/run-program.ts'
import type { StackDetails } from '../../loadtests/bench/stack/stack-record.ts'
import { readRunbook } from '../src/boards/runbooks.ts'
import { RUNBOOKS } from '../src/runbook-names.ts'

export type Command = { readonly runbook: string; readonly line: string; readonly program: string }

const commandsIn = (text: string): readonly string[] =>
  [...text.matchAll(/```bash\n([\s\S]*?)```/g)].map(([, block = '']) => block.trim())

export const COMMANDS: readonly Command[] = RUNBOOKS.flatMap((runbook) =>
  commandsIn(readRunbook(runbook)).flatMap((block) =>
    block.split('\n').map((line) => ({ runbook, line, program: line.split(' ', 1)[0] ?? '' })),
  ),
)

/** Those that need no cluster. */
export const runnable = (): readonly Command[] =>
  COMMANDS.filter(({ program }) => program !== 'kubectl' && onPath(program) !== undefined)

export type Addresses = Readonly<Record<string, string>>

export const addressesOf = ({ apiUrl, urls, monitoring }: StackDetails): Addresses => ({
  API: apiUrl,
  PRIMARY: urls.owner,
  REPLICA: urls.ownerReplica,
  REDIS: urls.redis,
  PROMETHEUS: monitoring?.prometheus ?? '',
})

/** Redis says nothing at all when it had no slow command. */
const mayAnswerNothing = (line: string): boolean => line.includes(' slowlog get ')

/** @returns what is wrong with it; undefined when it did what it says */
export async function problemOf({ runbook, line }: Command, addresses: Addresses): Promise<string | undefined> {
  const env = { PATH: process.env.PATH ?? '', ...addresses }
  try {
    const { stdout } = await promisify(execFile)('bash', ['-o', 'pipefail', '-c', line], { env, timeout: 20_000 })
    const isQuery = line.includes('/api/v1/query')
    if (isQuery && !stdout.startsWith('{"status":"success"')) return `${runbook}: ${line}\n${stdout}`
    const saysNothing = stdout.trim() === '' && !mayAnswerNothing(line)
    return saysNothing || /"statusCode":404|404 page not found/.test(stdout)
      ? `${runbook}: ${line}\n${stdout}`
      : undefined
  } catch (error) {
    return `${runbook}: ${line}\n${(error as { stderr?: string }).stderr || error}`
  }
}
