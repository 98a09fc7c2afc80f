/** What must not be committed, as gitleaks finds it by its own rules and those of .gitleaks.toml. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

export type Leak = { readonly file: string; readonly line: number; readonly what: string }

type Finding = {
  readonly File: string
  readonly StartLine: number
  readonly RuleID: string
  readonly Description: string
}

/** Looks at every file below the folder. The secrets themselves are not repeated. */
export function leaksIn(folder: string, gitleaks: string, config: string): readonly Leak[] {
  const options = ['--config', config, '--redact', '--exit-code', '0', '--report-format', 'json', '--report-path', '-']
  const report = execFileSync(gitleaks, ['dir', ...options, '--no-banner', '--log-level', 'error', folder], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const found = (JSON.parse(report) as readonly Finding[]).map(({ File, StartLine, RuleID, Description }) => ({
    file: relative(folder, resolve(File)),
    line: StartLine,
    what: `${RuleID}: ${Description}`,
  }))
  return [...found, ...registriesIn(folder)]
}

/** gitleaks skips lock files, whatever its rules say: so the registry that npm may write into one is ours to find. */
function registriesIn(folder: string): readonly Leak[] {
  const file = 'package-lock.json'
  if (!existsSync(join(folder, file))) return []
  const lines = readFileSync(join(folder, file), 'utf8').split('\n')
  const what = 'package-registry-name: Names a package registry: npm resolves without it'
  return lines.flatMap((text, i) => (/"resolved":\s*"[a-z+]+:/.test(text) ? [{ file, line: i + 1, what }] : []))
}
