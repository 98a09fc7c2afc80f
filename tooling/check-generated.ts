/**
 * Says which generated files are not what their generator writes now. The files are left as they were.
 *
 * Exits with 0 when all are up to date, with 1 when one is not or cannot be written.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

type Generated = { readonly file: string; readonly script: string }

const GENERATED: readonly Generated[] = [
  { file: 'api/openapi.json', script: 'openapi' },
  { file: 'api/schema.sql', script: 'db:dump:schema' },
  { file: 'docs/configuration.md', script: 'docs:configuration' },
]

const problems = GENERATED.flatMap(({ file, script }) => {
  const problem = whatIsWrong(file, script)
  return problem === undefined ? [] : [`${file} ${problem}`]
})
for (const problem of problems) process.stdout.write(`${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1

function whatIsWrong(file: string, script: string): string | undefined {
  const committed = existsSync(file) ? readFileSync(file, 'utf8') : undefined
  try {
    execFileSync('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'] })
    const written = readFileSync(file, 'utf8')
    if (committed === undefined) return `is missing: run npm run ${script}`
    if (committed !== written) return `is out of date: run npm run ${script}`
    return undefined
  } catch (error) {
    return `cannot be written: npm run ${script} failed\n${(error as { stderr?: Buffer }).stderr ?? error}`
  } finally {
    if (committed === undefined) rmSync(file, { force: true })
    else writeFileSync(file, committed)
  }
}
