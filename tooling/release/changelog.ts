/** CHANGELOG.md, in the format of https://keepachangelog.com. Pure. */
import { Failure } from '../../platform/command-line/failure.ts'

type Section = {
  /** `Unreleased`, or a version. */
  readonly name: string
  readonly date: string | undefined
  readonly body: string
}

const UNRELEASED = 'Unreleased'
const HEADING = /^## \[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?$/
const KINDS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']

/** @returns what has changed in a version, without its heading @throws {Failure} when the changelog does not say */
export function notesOf(changelog: string, version: string): string {
  const section = sectionsOf(changelog).find(({ name }) => name === version)
  if (section === undefined) throw new Failure(`CHANGELOG.md has no section [${version}]`)
  return section.body
}

/**
 * The changelog with what was unreleased as this version.
 *
 * @param date `2026-12-01`
 * @throws {Failure} when nothing is unreleased, or this version is there
 */
export function dated(changelog: string, version: string, date: string): string {
  const sections = sectionsOf(changelog)
  if (sections.some(({ name }) => name === version))
    throw new Failure(`CHANGELOG.md has a section [${version}] already`)
  const unreleased = sections.find(({ name }) => name === UNRELEASED)
  if (unreleased === undefined || unreleased.body === '')
    throw new Failure(`CHANGELOG.md has nothing under [${UNRELEASED}]: write what users of this version notice`)
  return changelog.replace(`## [${UNRELEASED}]\n`, () => `## [${UNRELEASED}]\n\n## [${version}] - ${date}\n`)
}

/** What is wrong with the changelog of a checkout of this version. */
export function changelogProblems(changelog: string, version: string): readonly string[] {
  const [first, newest, ...others] = sectionsOf(changelog)
  const released = newest === undefined ? [] : [newest, ...others]
  return [
    ...(first?.name === UNRELEASED ? [] : [`its first section must be [${UNRELEASED}]`]),
    ...(newest?.name === version
      ? []
      : [`its newest version is ${newest?.name ?? 'none'}, and package.json has ${version}`]),
    ...released.flatMap(({ name, date }) => (date === undefined ? [`[${name}] has no date`] : [])),
    ...[...changelog.matchAll(/^### (.*)$/gm)].flatMap(([, kind = '']) =>
      KINDS.includes(kind) ? [] : [`"### ${kind}" is none of ${KINDS.join(', ')}`],
    ),
  ].map((problem) => `CHANGELOG.md: ${problem}`)
}

function sectionsOf(changelog: string): readonly Section[] {
  return changelog
    .split(/^(?=## )/m)
    .slice(1)
    .map((text) => {
      const [heading = '', ...lines] = text.split('\n')
      const [, name = heading, date] = HEADING.exec(heading) ?? []
      return { name, date, body: lines.join('\n').trim() }
    })
}
