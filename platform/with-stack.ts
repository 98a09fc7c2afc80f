/**
 * Runs a command with the addresses of the platform that `make up` started:
 *
 *   node platform/with-stack.ts COMMAND [ARGUMENT…]
 *
 * A variable that is already set stays as it is, so the command also works with your own servers. PORT becomes the one
 * after the platform's, so that `npm run dev` can run at the same time.
 */
import { spawn } from 'node:child_process'
import { providerSecretsKey } from './settings/providers.ts'
import { readRecord, stackFolder } from './stack/stack-record.ts'

const [command, ...args] = process.argv.slice(2)
if (command === undefined) {
  process.stderr.write('usage: node platform/with-stack.ts COMMAND [ARGUMENT…]\n')
  process.exit(2)
}

const details = readRecord(stackFolder())?.details
if (details === undefined) process.stderr.write('nothing is up (make up): going by the environment alone\n')

const env = { ...(details === undefined ? {} : addresses(details)), ...process.env }
const child = spawn(command, args, { stdio: 'inherit', env })
// The terminal also sends Ctrl-C to the command. A signal sent only to this process is passed to the command.
process.on('SIGINT', () => {})
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  process.stderr.write(`${command}: ${error.message}\n`)
  process.exitCode = 2
})
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143)
})

function addresses({ apiUrl, urls }: NonNullable<typeof details>): Readonly<Record<string, string>> {
  return {
    PORT: String(Number(new URL(apiUrl).port) + 1),
    DATABASE_URL: urls.primary,
    DATABASE_REPLICA_URL: urls.replica,
    REDIS_URL: urls.redis,
    MIGRATION_DATABASE_URL: urls.owner,
    PROVIDER_SECRETS_KEY: providerSecretsKey(),
  }
}
