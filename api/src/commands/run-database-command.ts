import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { isUnreplicated } from '../postgres/replicated.ts'

const EXIT = { ok: 0, failed: 1, usage: 2 } as const
const CONNECT_TIMEOUT_MS = 10_000
const WAIT_MS = 300_000
const ASK_EVERY_MS = 1_000

const NOT_REPLICATED =
  'this is on the primary, but perhaps not on its synchronous replica: something ended the wait for it. ' +
  'If the primary is lost before the replica has caught up, do it again'

export type DatabaseCommand = (
  client: pg.Client,
  say: (line: string) => void,
  args: readonly string[],
  /** Opens another connection in the same way. The caller closes it. */
  connectAgain: () => Promise<pg.Client>,
) => Promise<void>

/**
 * Runs a command that needs the database as its migrating role, given in MIGRATION_DATABASE_URL, and ends the process.
 *
 * Says what it does on stderr, prefixed by its name, so that stdout stays free for what a command puts out.
 * With --wait, where a command has it, it keeps trying to connect for five minutes.
 *
 * Exit codes: 0 done, 1 failed, or done without the synchronous replica, 2 wrong usage. A message never shows the URL, which has a password in it.
 *
 * @param flags that it takes; one that ends in `=` takes a value. Of a command that takes more, they are not looked at
 * @param problemWith says what else is wrong with the arguments, if anything
 */
export async function runDatabaseCommand(
  help: string,
  name: string,
  run: DatabaseCommand,
  flags: readonly string[] | 'checked by problemWith' = [],
  problemWith: (args: readonly string[]) => string | undefined = () => undefined,
): Promise<void> {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(help)
    return
  }
  const unknown = args.filter(
    (arg) =>
      flags !== 'checked by problemWith' &&
      !flags.some((flag) => (flag.endsWith('=') ? arg.startsWith(flag) : arg === flag)),
  )
  if (unknown.length > 0) return usage(`unknown argument ${unknown.join(' ')}`)
  const problem = problemWith(args)
  if (problem !== undefined) return usage(problem)
  const url = process.env.MIGRATION_DATABASE_URL
  if (url === undefined || url === '') return usage('MIGRATION_DATABASE_URL is not set')
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
    return usage('MIGRATION_DATABASE_URL must be a URL that begins with postgres:// or postgresql://')
  }

  const say = (line: string) => void process.stderr.write(`${name}: ${line}\n`)
  try {
    const client = await connect(url, name, say, args.includes('--wait') ? WAIT_MS : 0)
    let isReplicated = true
    client.on('notice', (notice) => {
      if (isUnreplicated(notice)) isReplicated = false
    })
    const connectAgain = () => connect(url, name, say, 0)
    await run(client, say, args, connectAgain).finally(() => client.end().catch(() => {}))
    if (!isReplicated) throw new Error(NOT_REPLICATED)
    process.exitCode = EXIT.ok
  } catch (error) {
    say((error as Error).message)
    process.exitCode = EXIT.failed
  }

  function usage(problem: string): void {
    process.stderr.write(`${name}: ${problem}\n\n${help}`)
    process.exitCode = EXIT.usage
  }
}

async function connect(url: string, name: string, say: (line: string) => void, waitMs: number): Promise<pg.Client> {
  const deadline = performance.now() + waitMs
  for (let attempt = 1; ; attempt++) {
    const client = new pg.Client({
      connectionString: url,
      application_name: `hopwhistle ${name}`,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    })
    // A connection that breaks while a query runs also fails that query, which is where it is reported.
    client.on('error', () => {})
    client.on('notice', (notice) => {
      if (notice.severity === 'NOTICE' && notice.code === '00000') say(notice.message ?? '')
    })
    try {
      await client.connect()
      return client
    } catch (cause) {
      await client.end().catch(() => {})
      const { hostname, port, pathname } = new URL(url)
      const problem = `cannot connect to ${hostname}:${port || 5432}${pathname}: ${(cause as Error).message || cause}`
      if (performance.now() > deadline) throw new Error(problem, { cause })
      if (attempt === 1) say(`${problem}; trying again until it can`)
      await sleep(ASK_EVERY_MS)
    }
  }
}
