/** Opens pages of measurements as a reader does: in a real browser, without a network. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import axe from 'axe-core'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { makeTempDir } from '../stack/run-as.ts'

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const program = process.env.CHROMIUM ?? PROGRAMS.find(existsSync)

export const HAS_CHROMIUM = program !== undefined
/** For the name of a group of tests. */
export const CHROMIUM_NEEDED = HAS_CHROMIUM ? '' : ' (skipped: there is no chromium; CHROMIUM names one)'

export type { BrowserContextOptions } from 'playwright-core'
export type Opened = {
  readonly page: Page
  /** Errors and warnings of the console, and addresses outside of the page that it asked for. */
  readonly complaints: string[]
}
export type Reader = {
  open(content: string, options?: BrowserContextOptions): Promise<Opened>
  /** Of a server: other addresses than its own are complained about. */
  visit(url: string, options?: BrowserContextOptions): Promise<Opened>
  close(): Promise<void>
}

export async function startReader(): Promise<Reader> {
  const dir = makeTempDir('hopwhistle-page-')
  const browser: Browser = await chromium.launch({ executablePath: program!, args: ['--no-sandbox'] })
  async function visit(url: string, options: BrowserContextOptions = {}): Promise<Opened> {
    const page = await (await browser.newContext(options)).newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => {
      const isOwn = request.url() === url || /^(data|blob):/.test(request.url())
      if (!isOwn) complaints.push(`asked for ${request.url()}`)
    })
    await page.goto(url)
    return { page, complaints }
  }
  return {
    visit,
    open(content, options) {
      const file = join(dir, 'page.html')
      writeFileSync(file, content)
      return visit(pathToFileURL(file).href, options)
    },
    async close() {
      await browser.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

export const DEVICES: readonly (readonly [string, BrowserContextOptions])[] = [
  ['a desktop, light', { viewport: { width: 1280, height: 900 }, colorScheme: 'light' }],
  ['a phone, dark', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }],
]

/** What is wrong with a page wherever it is shown. @returns nothing when every chart is drawn and nothing else is wrong */
export async function problemsOf({ page, complaints }: Opened): Promise<readonly string[]> {
  const charts = await page.locator('[data-chart]').count()
  const drawn = await page.locator('[data-chart] canvas').count()
  const tooWide = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'))
  await page.addScriptTag({ content: axe.source })
  const { violations } = (await page.evaluate('axe.run()')) as { violations: { id: string; nodes: unknown[] }[] }
  return [
    ...(drawn === charts ? [] : [`${drawn} of ${charts} charts are drawn`]),
    ...(tooWide > 0 ? [`${tooWide} pixels wider than the screen`] : []),
    ...violations.map(({ id, nodes }) => `axe ${id}: ${nodes.length}`),
    ...complaints,
  ]
}
