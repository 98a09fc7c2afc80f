import { join } from 'node:path'
import { MALLOC_ENV, NODE_FLAGS } from '@hopwhistle/contract/node-flags.ts'
import { CHECKOUT } from '../lib/checkout.ts'

/** The code of a platform: a checkout, and how to start its API. */
export type PlatformCode = {
  readonly dir: string
  readonly nodeFlags: readonly string[]
  readonly nodeEnv: Readonly<Record<string, string>>
}

/** The code of this checkout. */
export const OUR_CODE: PlatformCode = { dir: CHECKOUT, nodeFlags: NODE_FLAGS, nodeEnv: MALLOC_ENV }

/** A program of the API, such as `main.ts` or `commands/db-migrate.ts`. */
export const apiProgram = ({ dir }: PlatformCode, path: string): string => join(dir, 'api', 'src', path)
