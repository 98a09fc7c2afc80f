/** `npm run db:seed:demo`: see HELP. */
import { DEMO_API_KEY, DEMO_TENANT_ID } from '@hopwhistle/contract/demo.ts'
import { actAs } from '../postgres/keys/list-audit.ts'
import { endDemoKey, seedDemo } from '../postgres/seed-demo.ts'
import { runDatabaseCommand } from './run-database-command.ts'

const CALLS = 225_000
const MOST_CALLS = 9_999_999

const HELP = `Usage: npm run db:seed:demo [-- --again] [--calls=N]
       npm run db:seed:demo -- --off

Gives the demo tenant ${DEMO_TENANT_ID} the key ${DEMO_API_KEY} and 30 days of calls that end now:
about ${CALLS.toLocaleString('en')} calls. Safe to run twice: what is there stays, and is not added to.
Run db:migrate first. Not for production: everyone knows the key.

  --again    removes the calls of the demo tenant first, so that the new ones end now
  --off      ends the key instead, and leaves the calls as they are
  --calls=N  about how many calls instead, one an hour at least; with each 300,000 come a million events

Environment:
  MIGRATION_DATABASE_URL  required  the primary, as the role that migrated it

Exit codes: 0 the demo's calls are there, 1 failed, 2 wrong usage.
`

const callsIn = (args: readonly string[]) =>
  args.findLast((arg) => arg.startsWith('--calls='))?.slice('--calls='.length) ?? String(CALLS)

await runDatabaseCommand(
  HELP,
  'db:seed:demo',
  async (client, say, args) => {
    if (args.includes('--off')) {
      await client.query('set role hopwhistle_owner')
      await actAs(client, 'db:seed:demo --off')
      return say((await endDemoKey(client)) ? 'the demo key works no more' : 'there is no demo key that works')
    }
    const startedAt = performance.now()
    const terminal = process.stderr.isTTY === true
    const seeded = await seedDemo(client, {
      now: new Date(),
      calls: Number(callsIn(args)),
      again: args.includes('--again'),
      onProgress: (done, of) => {
        const percent = Math.round((100 * done) / of)
        if (terminal) process.stderr.write(`\rdb:seed:demo: ${percent} %${done === of ? '; folding rollups\n' : ''}`)
        else if (done === of || done % 10 === 0) say(`${percent} %`)
      },
    })
    const number = (n: number) => n.toLocaleString('en')
    const day = (date: Date) => date.toISOString().slice(0, 10)
    say(
      `${seeded.wasThere ? 'already there' : 'done'}: ${number(seeded.calls)} calls, ${number(seeded.events)} events, ` +
        `${day(seeded.from)} to ${day(seeded.to)}, ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
    )
  },
  ['--again', '--off', '--calls='],
  (args) => {
    const calls = callsIn(args)
    return /^\d+$/.test(calls) && Number(calls) >= 1 && Number(calls) <= MOST_CALLS
      ? undefined
      : `--calls is "${calls}"; it must be a whole number from 1 to ${MOST_CALLS}`
  },
)
