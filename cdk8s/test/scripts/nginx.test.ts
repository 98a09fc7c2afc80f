/** The server of the reports, by a real nginx that is not root, as a browser sees it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { html } from '@hopwhistle/platform/document/html.ts'
import { draw } from '@hopwhistle/platform/document/page/page-chart.ts'
import { saveButtons } from '@hopwhistle/platform/document/page/parts.ts'
import { renderPage } from '@hopwhistle/platform/document/page/render-page.ts'
import { waitUntil } from '@hopwhistle/platform/lib/wait-until.ts'
import { freePort } from '@hopwhistle/platform/machine/free-port.ts'
import { makeTempDir, unprivilegedUser } from '@hopwhistle/platform/stack/run-as.ts'
import { HAS_CHROMIUM, type Reader, startReader } from '@hopwhistle/platform/test-support/chromium.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const nginx = [process.env.HOPWHISTLE_NGINX, '/usr/sbin/nginx', '/usr/local/bin/nginx'].find(
  (path) => path !== undefined && existsSync(path),
)
const NEEDS = nginx === undefined ? ' (skipped: there is no nginx; HOPWHISTLE_NGINX names one)' : ''
const CONFIG = readFileSync(new URL('../../scripts/nginx.conf', import.meta.url), 'utf8')

const { chart, figure } = draw(
  {
    kind: 'xy',
    id: 'chart',
    title: 'A chart',
    description: 'of two points.',
    x: { name: 'round', min: 0, max: 3 },
    unit: 'ms',
    series: [
      {
        name: 'p50',
        mark: 'line',
        points: [
          [1, 2],
          [2, 3],
        ] as const,
      },
    ],
  },
  { header: ['Round', 'ms'], rows: [[1, 2]] },
)
const PAGE = renderPage({
  title: 'A report',
  charts: [chart],
  downloads: { 'result.json': '{"rounds":2}\n' },
  body: html`<main><h1>A report</h1>${figure}${saveButtons(['result.json'])}</main>`,
})

describe.skipIf(nginx === undefined)(`the server of the reports${NEEDS}`, { timeout: 60_000 }, () => {
  let dir: string
  let server: ChildProcess
  let url: string
  let said = ''
  beforeAll(async () => {
    const user = unprivilegedUser()
    dir = makeTempDir('hopwhistle-nginx-', user)
    if (user !== undefined) chownSync(dir, user.uid, user.gid)
    mkdirSync(join(dir, 'reports'))
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    const here = CONFIG.replaceAll(/ \/tmp\//g, ` ${dir}/`)
      .replace(' /reports;', ` ${join(dir, 'reports')};`)
      .replace('listen 8080', `listen 127.0.0.1:${port}`)
    writeFileSync(join(dir, 'nginx.conf'), here)
    server = spawn(nginx!, ['-e', 'stderr', '-c', join(dir, 'nginx.conf')], {
      ...user,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    server.stderr?.on('data', (text) => (said += text))
    const answers = () =>
      fetch(`${url}/-/healthy`).then(
        ({ ok }) => ok,
        () => false,
      )
    await waitUntil('nginx to answer', answers, { timeoutMs: 20_000, everyMs: 50 })
  })
  afterAll(() => {
    server?.kill('SIGQUIT')
    rmSync(dir, { recursive: true, force: true })
  })

  test('says that there is no report yet, then shows the list', async () => {
    const before = await fetch(url)
    expect(before.status).toBe(404)
    expect(await before.text()).toBe('No report is kept yet: the first scheduled run leaves one.\n')
    writeFileSync(join(dir, 'reports', 'index.html'), 'the list')
    expect(await (await fetch(url)).text()).toBe('the list')
  })

  test('gives files and takes none, and shows no folder', async () => {
    mkdirSync(join(dir, 'reports', 'calls'))
    writeFileSync(join(dir, 'reports', 'calls', 'one.html'), PAGE)
    const report = await fetch(`${url}/calls/one.html`)
    expect(report.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(report.headers.get('content-encoding')).toBe('gzip')
    expect(await report.text()).toBe(PAGE)
    expect((await fetch(`${url}/calls/`)).status).toBe(403)
    for (const method of ['POST', 'PUT', 'DELETE'])
      expect((await fetch(`${url}/calls/one.html`, { method })).status).toBe(405)
    expect((await fetch(`${url}/none.html`)).status).toBe(404)
    expect(said).not.toContain('[emerg]')
  })

  test.skipIf(!HAS_CHROMIUM)('lets a page draw its charts and save its data, and ask for nothing', async () => {
    writeFileSync(join(dir, 'reports', 'page.html'), PAGE)
    const reader: Reader = await startReader()
    try {
      const { page, complaints } = await reader.visit(`${url}/page.html`, { acceptDownloads: true })
      expect(await page.locator('[data-chart] canvas').count()).toBe(1)
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Save result.json' }).click(),
      ])
      expect(readFileSync(await download.path(), 'utf8')).toBe('{"rounds":2}\n')
      expect(complaints).toEqual([])
      const blocked = page.evaluate('fetch("/index.html").then(() => "allowed", () => "blocked")')
      expect(await blocked).toBe('blocked')
    } finally {
      await reader.close()
    }
  })
})
