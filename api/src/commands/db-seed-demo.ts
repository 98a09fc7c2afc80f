/** `npm run db:seed:demo`: see HELP. */
import {
  DEMO_API_KEY,
  DEMO_TENANT_ID,
  DEMO_TENANTS_MAX,
  DEMO_TWILIO_TOKEN,
  demoTwilioCallback,
} from '@hopwhistle/contract/demo.ts'
import { createSecretBox, parseSecretKeys } from '../access/secret-box.ts'
import { actAs } from '../postgres/keys/list-audit.ts'
import { endDemoKeys, type SeedOptions, seedDemo } from '../postgres/seed-demo.ts'
import { sealedFor } from '../providers/callbacks.ts'
import { findTimeZone } from '../reporting/zones/time-zone.ts'
import { runDatabaseCommand } from './run-database-command.ts'

const CALLS = 225_000
const MOST_CALLS = 9_999_999

const HELP = `Usage: npm run db:seed:demo [-- --again] [--calls=N] [--tenants=N] [--timezone=ZONE]
       npm run db:seed:demo -- --off

Gives the demo tenant ${DEMO_TENANT_ID} the key ${DEMO_API_KEY} and 30 days of calls that end now:
about ${CALLS.toLocaleString('en')} calls. Safe to run twice: what is there stays, and is not added to.
Run db:migrate first. Not for production: everyone knows the key.

With PROVIDER_SECRETS_KEY, Twilio can report calls of the tenant, too: at the callback ${demoTwilioCallback(0)},
signed with the auth token ${DEMO_TWILIO_TOKEN}.

  --again    removes the calls of the demo tenant first, so that the new ones end now
  --off      ends the keys and callbacks instead, and leaves the calls as they are
  --calls=N  about how many calls instead, one an hour at least; with each 300,000 come a million events
  --tenants=N  spreads the calls over so many tenants, 1 if not given, for load tests with TENANTS=N. Further ones have ids
             that count on from the demo tenant's, and the keys ${DEMO_API_KEY}-1, ${DEMO_API_KEY}-2, …
             Calls that are there already stay where they are, unless --again is given
  --timezone=ZONE  shows the tenants' reports in this time zone, such as Asia/Kolkata, unless a request names another;
             none: in UTC again

Environment:
  MIGRATION_DATABASE_URL  required  the primary, as the role that migrated it

  PROVIDER_SECRETS_KEY              as for the API; without it there is no callback

Exit codes: 0 the demo's calls are there, 1 failed, 2 wrong usage.
`

const COUNTS = [
  ['--calls=', CALLS, MOST_CALLS],
  ['--tenants=', 1, DEMO_TENANTS_MAX],
] as const
const countIn = (args: readonly string[], [option, usual]: (typeof COUNTS)[number]) =>
  args.findLast((arg) => arg.startsWith(option))?.slice(option.length) ?? String(usual)

const ZONE = '--timezone='
function zoneIn(args: readonly string[]): Pick<SeedOptions, 'timeZone'> {
  const given = args.findLast((arg) => arg.startsWith(ZONE))?.slice(ZONE.length)
  return given === undefined ? {} : { timeZone: given === 'none' ? null : given }
}
function zoneProblem(args: readonly string[]): string | undefined {
  const { timeZone } = zoneIn(args)
  if (typeof timeZone !== 'string' || findTimeZone(timeZone) !== undefined) return undefined
  return `--timezone is "${timeZone}"; it must be an IANA name such as Europe/Berlin, or none`
}

const SECRETS_KEY = process.env.PROVIDER_SECRETS_KEY ?? ''
const secretKeys = parseSecretKeys(SECRETS_KEY)
const secretsKeyProblem =
  SECRETS_KEY !== '' && secretKeys === undefined ? 'PROVIDER_SECRETS_KEY is not 32 bytes in Base64' : undefined

function sealing(): Pick<SeedOptions, 'seal'> {
  if (secretKeys === undefined) return {}
  const box = createSecretBox(secretKeys)
  return { seal: (secret, callbackId) => box.seal(secret, sealedFor(callbackId, 'twilio')) }
}

await runDatabaseCommand(
  HELP,
  'db:seed:demo',
  async (client, say, args) => {
    if (args.includes('--off')) {
      await client.query('set role hopwhistle_owner')
      await actAs(client, 'db:seed:demo --off')
      return say((await endDemoKeys(client)) ? 'the demo key works no more' : 'there is no demo key that works')
    }
    const startedAt = performance.now()
    const terminal = process.stderr.isTTY === true
    const seeded = await seedDemo(client, {
      now: new Date(),
      calls: Number(countIn(args, COUNTS[0])),
      tenants: Number(countIn(args, COUNTS[1])),
      again: args.includes('--again'),
      ...zoneIn(args),
      ...sealing(),
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
  ['--again', '--off', ZONE, ...COUNTS.map(([option]) => option)],
  (args) =>
    secretsKeyProblem ??
    zoneProblem(args) ??
    COUNTS.map((one) => {
      const [option, , most] = one
      const given = countIn(args, one)
      return /^\d+$/.test(given) && Number(given) >= 1 && Number(given) <= most
        ? undefined
        : `${option.slice(0, -1)} is "${given}"; it must be a whole number from 1 to ${most}`
    }).find((problem) => problem !== undefined),
)
