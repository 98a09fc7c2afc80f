import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { GRAFANA_URL, RUNBOOK_LINK } from '@hopwhistle/contract/runbooks.ts'
import { CHECKOUT } from '../lib/checkout.ts'

/** Rules with short windows, because a local platform does not run for a month. */
const RULES = join(CHECKOUT, 'dashboards', 'rules', 'demo')
const FILES = ['recording.yaml', 'alerts.yaml']

/** URL of the runbook files, for links without Grafana. A URL, because a space in a path would end a link. */
export const RUNBOOK_FILES = pathToFileURL(join(CHECKOUT, 'dashboards', 'runbooks')).href

/**
 * Writes the rules for the local Prometheus into a folder.
 *
 * @param grafanaUrl Grafana with the board Runbooks for links of alerts; without it they link to files at `runbooks`
 * @returns the paths of the rule files
 */
export function writeRules(dir: string, grafanaUrl: string | undefined, runbooks: string): readonly string[] {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  return FILES.map((file) => {
    const rules = readFileSync(join(RULES, file), 'utf8')
    const path = join(dir, file)
    writeFileSync(path, withRunbooks(rules, grafanaUrl, runbooks), { mode: 0o600 })
    return path
  })
}

export function withRunbooks(rules: string, grafanaUrl: string | undefined, runbooks: string): string {
  return rules.replaceAll(new RegExp(RUNBOOK_LINK, 'g'), (link, name: string) =>
    grafanaUrl === undefined ? `${runbooks}/${name}.md` : link.replace(GRAFANA_URL, grafanaUrl),
  )
}
