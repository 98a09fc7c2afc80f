/** What `bench collect` says of a TestRun, also of one that it, or somebody else, collected before. */
import { existsSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { readResultFile } from '../../bench/run/result-files.ts'
import { type Bench, bench } from '../support/bench.ts'
import { type ApiServer, type ApiServerOptions, apiServer } from './support/api-server.ts'

const MINUTE = 60_000
let server: ApiServer
let job: Bench

afterEach(() => {
  server?.close()
  job?.remove()
})

async function begin(options: ApiServerOptions = {}) {
  server = await apiServer(options)
  job = bench({ KUBECONFIG: server.kubeconfig, HTTP_PROXY: '', http_proxy: '' })
  const collect = async (folder = 'results', ...more: readonly string[]) => {
    const resultsDir = `${job.tempDir}/${folder}`
    const { code, stdout, stderr } = await job.run('collect', 'calls', '--results-dir', resultsDir, ...more)
    const file = `${resultsDir}/call-state-updates.json`
    const read = (path = file) =>
      readResultFile(path)
        .verdict!.reasons.filter(({ effect }) => effect === 'invalid')
        .map(({ rule }) => rule)
    return { code, said: unwrapped(stdout + stderr), file, read }
  }
  return { collect }
}

test(
  'a run that was invalid stays invalid, for the same reason, wherever it is collected again',
  async () => {
    const { collect } = await begin({ throttled: 0.33 })
    const first = await collect()
    expect(first.code, first.said).toBe(2)
    expect(first.read()).toEqual(['throttled-cpu'])
    expect(server.stage()).toBe('finished')
    for (const folder of ['results', 'of-somebody-else']) {
      const again = await collect(folder)
      expect(again.code, again.said).toBe(2)
      expect(again.read()).toEqual(['throttled-cpu'])
      expect(again.said).toContain('throttled in 33 % of the time')
      expect(again.said).toContain('collected before: judged by what was seen of TestRun calls while it ran')
      expect(again.said).not.toContain('too short')
    }
    expect(server.configMaps.size).toBe(1)
  },
  3 * MINUTE,
)

test(
  'a run that was met is still met; when its TestRun is changed, that is noticed',
  async () => {
    const { collect } = await begin()
    expect((await collect()).code).toBe(0)
    expect((await collect('of-somebody-else')).code).toBe(0)
    server.env.API_URL = 'http://elsewhere.example.com:3001'
    const changed = await collect('later')
    expect(changed.code, changed.said).toBe(2)
    expect(changed.said).toContain(
      'API_URL is http://elsewhere.example.com:3001 now, and was http://somewhere.example.com:3001',
    )
    expect(changed.read()).toEqual(['changed-test-run'])
    expect(readResultFile(changed.file).target.url).not.toContain('elsewhere')
  },
  3 * MINUTE,
)

test(
  'a run that could not be kept, or whose result was deleted, is collected too late to know, and replaces no result',
  async () => {
    const { collect } = await begin()
    server.forbidConfigMaps = true
    const first = await collect()
    expect(first.code, first.said).toBe(0)
    expect(first.said).toContain(
      'cannot be kept with TestRun calls: collected again, it will be invalid (configmaps is',
    )
    const again = await collect()
    expect(again.code, again.said).toBe(2)
    expect(again.said).toContain('collected too late to know')
    expect(again.said).toMatch(/call-state-updates\.json knows more of the same run and stays/)
    expect(first.read()).toEqual([])
    const later = first.file.replace('.json', '.later.json')
    expect(existsSync(later)).toBe(true)
    expect(again.read(later)).toEqual(['collected-late'])
  },
  3 * MINUTE,
)

test(
  'a runner whose pod is refused is told while it is waited for, and in the verdict, in the words of Kubernetes',
  async () => {
    const refused =
      'Error creating: pods "calls-1-" is forbidden: exceeded quota: small, requested: cpu=1, limited: cpu=0'
    const { collect } = await begin({ refused })
    const { code, said, read } = await collect('results', '--start-within', '4')
    expect(code, said).toBe(2)
    expect(said).toContain(`! call-state-updates runner 1 has no pod: ${refused}`)
    expect(said).toContain(`runner 1 has no pod (${refused})`)
    expect(read().slice(0, 2)).toEqual(['hung-test-run', 'runner-never-ran'])
    expect(said).toContain('There is no report: no runner left a result.')
  },
  3 * MINUTE,
)

/** Without colours, and without the line breaks of the table. */
const unwrapped = (text: string): string => stripVTControlCharacters(text).replace(/\s+/g, ' ')
