/**
 * Says which generated files are not what their generator writes now. The files are left as they were.
 *
 * Exits with 0 when all are up to date, with 1 when one is not or cannot be written.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Files, and folders of which every file is written by the script. */
type Generated = { readonly paths: readonly string[]; readonly script: string }

const GENERATED: readonly Generated[] = [
  { paths: ['api/openapi.json'], script: 'openapi' },
  { paths: ['client/src/openapi.ts'], script: 'client:types' },
  { paths: ['api/schema.sql'], script: 'db:dump:schema' },
  {
    paths: ['loadtests/results.schema.json', 'loadtests/capacity.schema.json', 'loadtests/targets.schema.json'],
    script: 'results:schema',
  },
  { paths: ['docs/configuration.md'], script: 'docs:configuration' },
  { paths: ['dashboards/grafana', 'dashboards/rules', 'dashboards/provisioning'], script: 'dashboards' },
  {
    paths: ['postgres.conf', 'redis.conf', 'haproxy.cfg', 'prometheus.yml'].map((file) => `compose/${file}`),
    script: 'compose:config',
  },
  { paths: ['charts', 'loadtests/testruns'], script: 'charts' },
  {
    paths: [
      'docs/performance-baselines.md',
      'docs/performance.md',
      'docs/trust.md',
      'docs/history.md',
      'docs/history-precision.md',
      'docs/capacity.md',
      'docs/charts',
    ],
    script: 'document',
  },
]

const problems = GENERATED.flatMap(whatIsWrong)
for (const problem of problems) process.stdout.write(`${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1

function whatIsWrong({ paths, script }: Generated): readonly string[] {
  const committed = read(paths)
  try {
    execFileSync('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'] })
    const written = read(paths)
    return [...new Set([...committed.keys(), ...written.keys()])].flatMap((file) => {
      if (!committed.has(file)) return [`${file} is missing: run npm run ${script}`]
      if (!written.has(file)) return [`${file} is not written any more: run npm run ${script}`]
      return committed.get(file) === written.get(file) ? [] : [`${file} is out of date: run npm run ${script}`]
    })
  } catch (error) {
    const said = (error as { stderr?: Buffer }).stderr ?? error
    return [`${paths.join(', ')} cannot be written: npm run ${script} failed\n${said}`]
  } finally {
    for (const file of read(paths).keys()) if (!committed.has(file)) rmSync(file)
    for (const [file, content] of committed) {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
    }
  }
}

/** What is in the files, by their path. */
function read(paths: readonly string[]): ReadonlyMap<string, string> {
  const files = paths.flatMap((path) => {
    if (!existsSync(path)) return []
    if (statSync(path).isFile()) return [path]
    const inside = readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))
    return inside.filter((name) => statSync(name).isFile())
  })
  return new Map(files.map((file) => [file, readFileSync(file, 'utf8')]))
}
