/** Versions of releases: MAJOR.MINOR.PATCH, without anything after it. Pure. */

const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/

export const isVersion = (text: string): boolean => VERSION.test(text)

/** The tag of a version, `v0.2.0`. */
export const tagOf = (version: string): string => `v${version}`

/** Those of these tags that are of releases, as versions, oldest first. */
export const releasesIn = (tags: readonly string[]): readonly string[] =>
  tags
    .filter((tag) => tag.startsWith('v') && isVersion(tag.slice(1)))
    .map((tag) => tag.slice(1))
    .sort(compare)

export function compare(a: string, b: string): number {
  const [x, y] = [partsOf(a), partsOf(b)]
  const at = x.findIndex((part, i) => part !== y[i])
  return at === -1 ? 0 : (x[at] ?? 0) - (y[at] ?? 0)
}

/** What may follow a version: the next fix, the next minor and the next major version. */
export function followersOf(version: string): readonly string[] {
  const [major = 0, minor = 0, patch = 0] = partsOf(version)
  return [`${major}.${minor}.${patch + 1}`, `${major}.${minor + 1}.0`, `${major + 1}.0.0`]
}

const partsOf = (version: string): readonly number[] => version.split('.').map(Number)
