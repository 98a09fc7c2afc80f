/** `npm run fuzz`: see HELP. */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { EXIT, Failure, Usage } from '../platform/command-line/failure.ts'
import { wholeNumber } from '../platform/command-line/parse-options.ts'
import { duration, type Terminal } from '../platform/command-line/terminal.ts'
import { runCommand } from './command.ts'
import { findSchemathesis } from './fuzz/find-schemathesis.ts'
import { runSchemathesis } from './fuzz/run-schemathesis.ts'
import { withPlatform } from './rig/with-platform.ts'

const CASES = 20_000
/** For each operation in one round; a round is then some 3,000 requests. */
const EXAMPLES = 200
/** One round in this many is sent without a key. */
const WITHOUT_KEY_EVERY = 4

const HELP = `Usage: npm run fuzz [-- --cases N] [--seed N]

Starts a platform of its own and sends it requests that schemathesis generates from the OpenAPI document: valid and invalid
ones, with a key and without. No answer may be a server error, or differ from the document in status, type or schema. Invalid
requests must be refused, and valid ones accepted.

  --cases N    requests at least; ${CASES} if not given, which take some ten minutes
  --seed N     repeats the requests of an earlier run; random if not given, and printed

Environment:
  SCHEMATHESIS   path of schemathesis; by default found on the PATH, or installed with python3

Exit codes: 0 every answer was right, 1 one was not, 2 the run could not start, or did not finish.
`

type Options = { readonly cases: number; readonly seed: number }

await runCommand<Options>({ help: HELP, options, main })

async function main({ cases: wanted, seed }: Options, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const command = await findSchemathesis(terminal, signal)
  return withPlatform({ instances: 1, apiEnv: webhooksOn(), terminal, signal }, async ({ apiUrl, apiKey }) => {
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
      // From the second round on, so that a short run has both.
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

/** Webhooks take what is generated, and call nobody: no address is allowed. */
function webhooksOn() {
  return { WEBHOOK_KEYS: randomBytes(32).toString('base64'), WEBHOOK_DENIED_NETWORKS: '0.0.0.0/0,::/0' }
}
