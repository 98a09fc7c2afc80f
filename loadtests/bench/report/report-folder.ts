/**
 * A folder with the last reports, for a server of static files: `SCENARIO/TIME.VERDICT.PROFILE.html`, and `index.html`,
 * which lists them by scenario and time. All that the list says is in the names: no file of its own could differ.
 */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { plural } from '@hopwhistle/platform/document/figures.ts'
import { html } from '@hopwhistle/platform/document/html.ts'
import { minute } from '@hopwhistle/platform/document/markdown.ts'
import { contents, dataTable, signed } from '@hopwhistle/platform/document/page/parts.ts'
import { renderPage } from '@hopwhistle/platform/document/page/render-page.ts'
import { writeWhole } from '@hopwhistle/platform/document/write-whole.ts'
import type { LoadtestResult } from '../evidence/loadtest-result.ts'
import type { Outcome } from '../evidence/verdict.ts'
import { OUTCOMES, renderReport } from './render-report.ts'

const NAME = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)\.(met|missed|invalid)\.([a-z]+)\.html$/

/**
 * Writes the report of a judged result into the folder, deletes the oldest of its scenario and writes the list again.
 *
 * @param most reports of this scenario are kept
 * @param at when the run ended
 * @returns the path of the report
 * @throws when it cannot be written; the list is as it was then
 */
export async function keepReport(dir: string, result: LoadtestResult, most: number, at = new Date()): Promise<string> {
  const { scenario, profile, verdict } = result
  const folder = join(dir, scenario)
  const [date = '', time = ''] = at.toISOString().split(/[T.]/)
  const stamp = `${date.replaceAll('-', '')}-${time.replaceAll(':', '')}`
  const path = join(folder, `${stamp}.${verdict?.outcome ?? 'invalid'}.${profile}.html`)
  const page = renderReport([result])
  // First, so that a volume that is full gets room.
  for (const name of await tooOld(folder, most - 1)) await rm(join(folder, name), { force: true })
  await writeWhole(path, page)
  await writeWhole(join(dir, 'index.html'), renderList(await listed(dir)))
  return path
}

/** More than so many, the newest first; and what a process that was killed had not written to its end. */
async function tooOld(folder: string, most: number): Promise<readonly string[]> {
  const names = await namesIn(folder)
  return [...reportsIn(names).slice(most), ...names.filter((name) => name.endsWith('.html.new'))]
}

const reportsIn = (names: readonly string[]): readonly string[] =>
  names
    .filter((name) => NAME.test(name))
    .sort()
    .reverse()

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}

type Listed = { readonly scenario: string; readonly reports: readonly string[] }

async function listed(dir: string): Promise<readonly Listed[]> {
  const entries = await readdir(dir, { withFileTypes: true })
  const all = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map(async ({ name }) => ({ scenario: name, reports: reportsIn(await namesIn(join(dir, name))) })),
  )
  return all
    .filter(({ reports }) => reports.length > 0)
    .toSorted((a, b) => placeOf(a.scenario) - placeOf(b.scenario) || a.scenario.localeCompare(b.scenario, 'en'))
}

const titleOf = (scenario: string): string => SCENARIOS[scenario as keyof typeof SCENARIOS]?.title ?? scenario
const placeOf = (scenario: string): number => {
  const place = Object.keys(SCENARIOS).indexOf(scenario)
  return place < 0 ? Number.POSITIVE_INFINITY : place
}

function renderList(all: readonly Listed[]): string {
  return renderPage({
    title: 'Load tests: the last reports',
    charts: [],
    downloads: {},
    body: html`<header>
<h1>Load tests</h1>
<p class="quiet">The last reports of each scenario, the newest first. A report needs no network: save it to send it on.</p>
${contents(all.map(({ scenario, reports: [newest = ''] }) => [scenario, titleOf(scenario), sign(outcomeOf(newest))]))}
</header>
<main>
${all.map(
  ({ scenario, reports }) => html`<section id="${scenario}">
<h2>${titleOf(scenario)}</h2>
${dataTable(
  `${plural(reports.length, 'report')} of ${titleOf(scenario)}`,
  ['Ended', 'Verdict', 'Profile'],
  reports.map((name) => [
    html`<a href="${scenario}/${name}">${timeOf(name)}</a>`,
    sign(outcomeOf(name)),
    NAME.exec(name)?.at(-1) ?? '',
  ]),
)}
</section>
`,
)}</main>
`,
  })
}

const sign = (outcome: Outcome) => signed(outcome, OUTCOMES[outcome])
const outcomeOf = (name: string): Outcome => (NAME.exec(name)?.[7] ?? 'invalid') as Outcome

function timeOf(name: string): string {
  const [, year, month, day, hour, minutes, seconds] = NAME.exec(name) ?? []
  return minute(`${year}-${month}-${day}T${hour}:${minutes}:${seconds}Z`)
}
