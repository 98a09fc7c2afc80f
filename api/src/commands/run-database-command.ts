import pg from 'pg'

const EXIT = { ok: 0, failed: 1, usage: 2 } as const
const CONNECT_TIMEOUT_MS = 10_000

/**
 * Runs a command that needs the database as its migrating role, given in MIGRATION_DATABASE_URL, and ends the process.
 *
 * Says what it does on stderr, prefixed by its name, so that stdout stays free for what a command puts out.
 * Exit codes: 0 done, 1 failed, 2 wrong usage. A message never shows the URL, which has a password in it.
 *
 * @param flags that it takes; one that ends in `=` takes a value
 * @param problemWith says what is wrong with the arguments beside that, if anything
 */
export async function runDatabaseCommand(
  help: string,
  name: string,
  run: (client: pg.Client, say: (line: string) => void, args: readonly string[]) => Promise<void>,
  flags: readonly string[] = [],
  problemWith: (args: readonly string[]) => string | undefined = () => undefined,
): Promise<void> {
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(help)
    return
  }
  const unknown = args.filter(
    (arg) => !flags.some((flag) => (flag.endsWith('=') ? arg.startsWith(flag) : arg === flag)),
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
  const { hostname, port, pathname } = new URL(url)
  try {
    await client.connect().catch((cause: Error) => {
      throw new Error(`cannot connect to ${hostname}:${port || 5432}${pathname}: ${cause.message || String(cause)}`, {
        cause,
      })
    })
    await run(client, say, args)
    process.exitCode = EXIT.ok
  } catch (error) {
    say((error as Error).message)
    process.exitCode = EXIT.failed
  } finally {
    await client.end().catch(() => {})
  }

  function usage(problem: string): void {
    process.stderr.write(`${name}: ${problem}\n\n${help}`)
    process.exitCode = EXIT.usage
  }
}
