import { apiProgram, OUR_CODE, type PlatformCode } from '../checkout/platform-code.ts'
import { runProgram } from '../machine/run-program.ts'
import { providerSecretsKey } from '../settings/providers.ts'

export type DatabaseCommand = {
  readonly ownerUrl: string
  readonly apiPassword?: string
  readonly args?: readonly string[]
  /** Absent: that of this checkout. */
  readonly code?: PlatformCode
  readonly signal?: AbortSignal | undefined
  /** Called with each line of the command's output. */
  readonly onLine: (line: string) => void
}

/** Runs a database command of the API. @throws {Failure} with the last lines of its output */
export async function runDatabaseCommand(name: 'db-migrate' | 'db-seed-demo', options: DatabaseCommand): Promise<void> {
  const { ownerUrl, apiPassword, args = [], code = OUR_CODE, signal, onLine } = options
  await runProgram(process.execPath, [apiProgram(code, `commands/${name}.ts`), ...args], {
    env: {
      PATH: process.env.PATH ?? '',
      MIGRATION_DATABASE_URL: ownerUrl,
      PROVIDER_SECRETS_KEY: providerSecretsKey(),
      ...(apiPassword === undefined ? {} : { API_DATABASE_PASSWORD: apiPassword }),
    },
    signal,
    // Removes the command's name at the start of each line, which the caller knows.
    onLine: (line) => onLine(line.replace(/^db:[a-z:]+: /, '')),
  })
}
