import { type Program, program } from '@hopwhistle/platform/test-support/program.ts'

export type { Ended } from '@hopwhistle/platform/test-support/program.ts'
export type Bench = Program

/** Runs bench/main.ts as its users do, with temporary files in a folder of the test's own. */
export const bench = (env: Readonly<Record<string, string>> = {}): Bench =>
  program(new URL('../../bench/main.ts', import.meta.url), env)
