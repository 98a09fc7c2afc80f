/** The runbooks as a board, so that they can be read where the alert is, even if other systems are down. */
import { readFileSync } from 'node:fs'
import { type Dashboard, DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder, TextMode } from '@grafana/grafana-foundation-sdk/text'
import { BOARD_UIDS } from '../board-names.ts'
import { ADDRESSES, RUNBOOK_PAGES, type RunbookPage, runbookLink, runbookPanelId } from '../runbook-link.ts'

/** A link in an alert shows only its own page. */
const WHERE = `\n\n[What $PROMETHEUS, $PRIMARY and the others are](${runbookLink(ADDRESSES)})`
const FOLDER = new URL('../../runbooks/', import.meta.url)

export const readRunbook = (name: RunbookPage): string => readFileSync(new URL(`${name}.md`, FOLDER), 'utf8')

export function runbooksDashboard(): Dashboard {
  const builder = new DashboardBuilder('Hopwhistle: Runbooks')
    .uid(BOARD_UIDS.runbooks)
    .description('What each alert means, how to see it, and what to do.')
    .tags(['hopwhistle'])
    .readonly()
  RUNBOOK_PAGES.forEach((name, i) => {
    const [heading = '', ...text] = readRunbook(name).split('\n')
    builder.withPanel(
      new PanelBuilder()
        .id(runbookPanelId(name))
        .gridPos({ x: 12 * (i % 2), y: 16 * Math.floor(i / 2), w: 12, h: 16 })
        .title(heading.replace(/^# /, ''))
        .description(
          name === ADDRESSES
            ? 'The addresses that the runbooks’ commands use.'
            : `Runbook of the alerts that link here: dashboards/runbooks/${name}.md`,
        )
        .mode(TextMode.Markdown)
        .content(`${withLinks(text.join('\n').trim())}${name === ADDRESSES ? '' : WHERE}`),
    )
  })
  return builder.build()
}

/** A link to another runbook leads to its panel; one to another file of the repository leads nowhere in Grafana. */
const withLinks = (markdown: string): string =>
  markdown.replaceAll(/\[([^\]]+)\]\((?!https?:|\/)([\w./-]+)\.md(?:#[\w-]+)?\)/g, (_, words: string, file: string) => {
    const runbook = RUNBOOK_PAGES.find((name) => name === file)
    return runbook === undefined ? words : `[${words}](${runbookLink(runbook)})`
  })
