/** The platform at the base: the earlier commit that the goals of cost are ratios to. */
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import type { PartOptions } from '../parts.ts'
import { type CheckStored, findCommit, type OpenCommit, openCommit } from './open-commit.ts'

/** The default base. */
export const BASE_COMMIT = '7bb82c8'

export type Base = OpenCommit & { readonly checkStored: CheckStored }

/** @returns the commit as 40 hexadecimal digits @throws {Failure} when this clone does not have it */
export const findBase = (ref: string): Promise<string> => findCommit(ref, 'base')

/** @throws {Failure} as `openCommit` does, and for a commit that cannot tell whether events are stored */
export async function openBase({
  base,
  ...progress
}: Pick<PartOptions, 'base' | 'terminal' | 'signal'>): Promise<Base> {
  const opened = await openCommit(base, 'base', progress)
  const { checkStored } = opened
  if (checkStored !== undefined) return { ...opened, checkStored }
  await opened.remove()
  throw new Failure(`the base ${opened.commit.slice(0, 7)} has nothing that checks what it stored: name a later one`)
}
