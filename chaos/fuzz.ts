/** `npm run fuzz`: see HELP. */
import { parseArgs } from 'node:util'
import { EXIT, Failure, Usage } from '../platform/command-line/failure.ts'
import { wholeNumber } from '../platform/command-line/parse-options.ts'
import { duration, type Terminal } from '../platform/command-line/terminal.ts'
import { runCommand } from './command.ts'
import { findSchemathesis } from './fuzz/find-schemathesis.ts'
import { runSchemathesis } from './fuzz/run-schemathesis.ts'
import { withPlatform } from './rig/with-platform.ts'

const CASES = 20_000
/** Of each operation in one round, which is so some 3,000 requests. */
const EXAMPLES = 200
/** Every so many rounds comes without a key. */
const WITHOUT_KEY_EVERY = 4

const HELP = `Usage: npm run fuzz [-- --cases N] [--seed N]

Starts a platform of its own and sends it requests that schemathesis makes up from the OpenAPI document, right ones and
wrong ones, with a key and without, until there were enough. No answer may be a server error, of a status or a type that
the document does not name, or other than its schema; what is wrong must be refused, and what is right be taken.

  --cases N    requests at least; ${CASES} if not given, which take some ten minutes
  --seed N     the same requests again; another each time if not given, and printed

Environment:
  SCHEMATHESIS   the schemathesis to use; else of the PATH, or installed with python3

Exit codes: 0 every answer was right, 1 one was not, 2 it could not be done.
`

type Options = { readonly cases: number; readonly seed: number }

await runCommand<Options>({ help: HELP, options, main })

async function main({ cases: wanted, seed }: Options, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const command = await findSchemathesis(terminal, signal)
  return withPlatform({ instances: 1, terminal, signal }, async ({ apiUrl, apiKey }) => {
    const began = performance.now()
    const reports: string[] = []
    let cases = 0
    let failures = 0
    const tell = () => {
      terminal.clear()
      for (const report of reports) process.stdout.write(`${report}\n`)
      const found = failures === 0 ? 'every answer was right' : `${failures} kinds of wrong answers, see above`
      process.stdout.write(`${cases} cases in ${duration(performance.now() - began)}, seed ${seed}: ${found}\n`)
    }
    for (let round = 0; cases < wanted; round++) {
      // The second already, so that a short run has both.
      const withKey = round % WITHOUT_KEY_EVERY !== 1
      const what = `round ${round + 1}, ${withKey ? 'with' : 'without'} a key: ${cases} of ${wanted} cases so far`
      const key = withKey ? { apiKey } : {}
      const run = { command, apiUrl, ...key, seed: seed + round, examples: EXAMPLES, signal }
      const outcome = await terminal
        .during(what, () => runSchemathesis(run))
        .finally(() => {
          if (signal.aborted) tell()
        })
      if (outcome.cases === 0) throw new Failure(`schemathesis made no request:\n${outcome.report.slice(-3000)}`)
      cases += outcome.cases
      failures += outcome.failures
      if (outcome.failures > 0) reports.push(outcome.report)
    }
    tell()
    return failures === 0 ? EXIT.ok : 1
  })
}

function options(): Options & { readonly help: boolean } {
  try {
    const { values } = parseArgs({
      options: { cases: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    })
    return {
      cases: wholeNumber('--cases', values.cases ?? String(CASES), 1, 10_000_000),
      seed: wholeNumber('--seed', values.seed ?? String(Math.floor(Math.random() * 1_000_000)), 0, 1_000_000_000),
      help: values.help ?? false,
    }
  } catch (error) {
    throw new Usage((error as Error).message)
  }
}
