/**
 * Reports faults in boards, alerts and runbooks: `npm run check:dashboards`. Exits with 0 when there are none, else 1.
 *
 * Where promtool is installed, it also checks the rules; otherwise the output says that it did not.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { alertGroups } from '../alerts/alert-groups.ts'
import { BOARDS } from '../boards/boards.ts'
import { SCALES } from '../scale.ts'
import { alertProblems, runbookProblems } from './lint-alerts.ts'
import { boardProblems } from './lint-boards.ts'

const RULES = fileURLToPath(new URL('../../rules/', import.meta.url))

const problems = [
  ...BOARDS.flatMap(boardProblems),
  ...SCALES.flatMap((scale) => alertProblems(alertGroups(scale).flatMap(({ alerts }) => alerts))),
  ...runbookProblems(),
  ...promtoolProblems(),
]
for (const problem of problems) process.stdout.write(`${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1

function promtoolProblems(): readonly string[] {
  const files = readdirSync(RULES, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(recording|alerts)\.yaml$/.test(name))
    .map((name) => `${RULES}${name}`)
  try {
    execFileSync('promtool', ['check', 'rules', '--lint-fatal', ...files], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return []
  } catch (error) {
    const { code, stderr, stdout } = error as NodeJS.ErrnoException & { stderr?: string; stdout?: string }
    if (code !== 'ENOENT') return [`promtool check rules: ${stderr}${stdout}`]
    process.stdout.write('promtool is missing: the rules were not checked by it\n')
    return []
  }
}
