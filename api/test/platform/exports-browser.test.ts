/** A page in a browser exports calls with a short-lived token: what CORS allows is what the browser does. */
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HEADERS, ROUTES } from '@hopwhistle/contract/routes.ts'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seedCalls } from '../reporting/seed-calls.ts'
import { type Platform, post, runningPlatform } from './running-platform.ts'

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const program = process.env.CHROMIUM ?? PROGRAMS.find((path) => existsSync(path))
const NEEDS = program === undefined ? ' (skipped: there is no chromium; CHROMIUM names one)' : ''

/** A site of its own, and another one. */
const site = createServer((_request, response) =>
  response.setHeader('content-type', 'text/html').end('<title>page</title>'),
)
let platform: Platform
let browser: Browser
const origin = (host: string) => `http://${host}:${(site.address() as AddressInfo).port}`
beforeAll(async () => {
  if (program === undefined) return
  await new Promise<void>((resolve) => void site.listen(0, resolve))
  platform = await runningPlatform(1, { CORS_ORIGINS: origin('127.0.0.1') })
  browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] })
})
afterAll(async () => {
  await browser?.close()
  await platform?.close()
  site.close()
})

test.runIf(program !== undefined)(
  `a page of a named origin exports calls, and a page of another one cannot${NEEDS}`,
  async () => {
    const { url } = platform.instances[0]!
    const tenant = await platform.newTenant()
    await seedCalls(platform.query, tenant.id, 500)
    await platform.database.replicaCaughtUp()
    const { token } = (await post(platform.instances[0]!, { scopes: ['reports:read'] }, tenant.key, ROUTES.tokens)).body
    const exportFrom = async (pageOrigin: string) => {
      const page = await browser.newPage()
      await page.goto(pageOrigin)
      return page.evaluate(
        async ([to, key, asOf]) => {
          const headers = { authorization: `Bearer ${key}`, accept: 'text/csv' }
          const answer = await fetch(to!, { headers }).catch((error: Error) => error.name)
          if (typeof answer === 'string') return answer
          const lines = (await answer.text()).split('\r\n').length
          return { lines, asOf: answer.headers.get(asOf!), name: answer.headers.get('content-disposition') }
        },
        [`${url}${ROUTES.reportCalls}`, token, HEADERS.asOf] as const,
      )
    }
    expect(await exportFrom(origin('127.0.0.1'))).toEqual({
      lines: 502,
      asOf: expect.stringMatching(/^\d{4}-/),
      name: 'attachment; filename="calls.csv"',
    })
    expect(await exportFrom(origin('localhost'))).toBe('TypeError')
  },
)
