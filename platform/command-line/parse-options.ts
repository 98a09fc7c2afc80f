import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { Usage } from './failure.ts'

/**
 * Reads a command's options; an unknown option or an unexpected argument is an error.
 *
 * @throws {Usage}
 */
export function parseOptions<const T extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: T,
  positionals: { readonly min: number; readonly max: number } = { min: 0, max: 0 },
) {
  const parsed = (() => {
    try {
      return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
    } catch (error) {
      throw new Usage((error as Error).message.split('. ')[0] ?? String(error))
    }
  })()
  const { length } = parsed.positionals
  if (length > positionals.max) throw new Usage(`unexpected argument "${parsed.positionals[positionals.max]}"`)
  if (length < positionals.min) throw new Usage('an argument is missing')
  return parsed
}

/** @throws {Usage} when it is not a whole number within the bounds */
export function wholeNumber(name: string, given: string, min: number, max: number): number {
  const value = Number(given)
  if (!/^\d+$/.test(given) || value < min || value > max) {
    throw new Usage(`${name} is "${given}"; it must be a whole number from ${min} to ${max}`)
  }
  return value
}

/** @throws {Usage} */
export function oneOf<const T extends string>(name: string, given: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === given)
  if (found === undefined) throw new Usage(`${name} is "${given}"; it may be ${allowed.join(', ')}`)
  return found
}
