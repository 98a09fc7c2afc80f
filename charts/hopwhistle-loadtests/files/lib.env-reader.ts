/** Reads environment variables and gathers every problem, so that all of them are reported together. */
export type Env = Readonly<Record<string, string | undefined>>

export type EnvReader = {
  text(name: string, fallback: string): string
  optional(name: string): string | undefined
  choice<T extends string>(name: string, allowed: readonly T[], fallback: T): T
  /** @param what what it counts, for the message: `updates a second` */
  integer(name: string, range: { min: number; max: number }, what: string, fallback: number): number
  url(name: string, protocols: readonly string[], fallback: string): string
  problem(message: string): void
  /** @throws {Error} naming each variable that was wrong, what it was and what it may be */
  done(what: string): void
}

export function envReader(env: Env): EnvReader {
  const problems: string[] = []
  // An empty variable is one that a shell or a chart left out.
  const given = (name: string) => (env[name] === '' ? undefined : env[name])
  return {
    text: (name, fallback) => given(name) ?? fallback,
    optional: given,
    choice(name, allowed, fallback) {
      const value = given(name)
      if (value === undefined) return fallback
      const found = allowed.find((one) => one === value)
      if (found === undefined) problems.push(`${name} is "${value}"; it may be ${allowed.join(', ')}`)
      return found ?? fallback
    },
    integer(name, { min, max }, what, fallback) {
      const value = given(name)
      if (value === undefined) return fallback
      const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
      if (number >= min && number <= max) return number
      problems.push(`${name} is "${value}"; it may be a whole number of ${what}, ${min} to ${max}`)
      return fallback
    },
    url(name, protocols, fallback) {
      const value = given(name) ?? fallback
      const [, protocol = ''] = /^([a-z]+):\/\/[^/\s]+(\/\S*)?$/.exec(value) ?? []
      if (!protocols.includes(protocol)) {
        const forms = protocols.map((one) => `${one}://host:port`).join(' or ')
        problems.push(`${name} is "${value}"; it may be ${forms}`)
      }
      return value.replace(/\/+$/, '')
    },
    problem: (message) => void problems.push(message),
    done(what) {
      if (problems.length > 0) throw new Error(`${what} cannot run: ${problems.join('. ')}`)
    },
  }
}
