/** Runs every HTTP, WebSocket and client example of README, docs and OpenAPI, twice, against a platform with demo data. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { DEMO_API_KEY } from '@hopwhistle/contract/demo.ts'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { freshDatabase } from '../../../platform/test-support/fresh-database.ts'
import { seedDemo } from '../../src/postgres/seed-demo.ts'
import { anEvent, type Platform, post, runningPlatform } from '../platform/running-platform.ts'
import { commands, type Example, examples } from './documents.ts'

vi.setConfig({ testTimeout: 90_000 })
const run = promisify(execFile)
const ALL = examples()
const SHELL = ALL.filter(({ language }) => language === 'bash' || language === 'sh')
const TWICE = [1, 2]

let platform: Platform
let url: string
beforeAll(async () => {
  const database = await freshDatabase()
  platform = await runningPlatform(1, { WEBHOOK_KEYS: Buffer.alloc(32, 1).toString('base64') }, database)
  url = platform.instances[0]!.url
  const owner = new pg.Client({ connectionString: database.ownerUrl })
  await owner.connect()
  await seedDemo(owner, { now: new Date(), calls: 1_000, again: false })
  await owner.end()
})
afterAll(() => platform.close())

/** Where examples say it is, as `make up` does. */
const here = (text: string) =>
  text.replaceAll('http://localhost:3001', url).replaceAll('ws://localhost:3001', url.replace('http', 'ws'))

describe('shell', () => {
  /** What speaks to the API over HTTP, with what it needs before; the rest needs a cluster, Docker or a stack of its own. */
  const ASSIGNS = /^(export )?(\w+=('[^']*'|"[^"]*"|\$\([^)]*\)|[^\s'"$]|\$\w+)*\s*)+(#.*)?$/
  const isRun = (command: string) => /^curl\b/.test(command) && /localhost:3001|\$(API|ADMIN)\b/.test(command)
  /** Why a command is not run. */
  const NOT_RUN: readonly (readonly [RegExp, string])[] = [
    [/^(docker|kind)\b/, 'Docker'],
    [/^(kubectl|helm|KUBECONFIG=\S+ )/, 'a cluster'],
    [
      /^(make|npm|npx|nice|k6|cd|sh|\.\/|pwsh|git|sudo|apt|go|node|[A-Z0-9_]+=\S+ (make|npm|npx|k6|node|go|\S*run-all)|\w+=\S+[\s\S]*\b(make|npm)\b|loadtests\/run-all)/,
      'starts or installs something itself; other tests do',
    ],
    [/^(psql|redis-cli|pg_\w+|prometheus)\b/, 'a server of its own'],
    [/^(gh|systemd-run|mkdir|rmdir) /, 'the machine or GitHub'],
    [/^forward /, 'a cluster'],
    [
      /\$(PROMETHEUS|ALERTMANAGER|GRAFANA|NAMESPACE|INSTANCE|PRIMARY|REPLICA|REDIS|POD|RELEASE)\b/,
      'a cluster or Prometheus',
    ],
  ]
  const why = (command: string) => NOT_RUN.find(([pattern]) => pattern.test(command))?.[1]

  test('every block is what bash can read', async () => {
    for (const { where, text } of SHELL) {
      const checked = run('bash', ['-n', '-c', text.replaceAll('…', 'x')])
      await expect(checked, where).resolves.toBeDefined()
    }
  })

  test('every command is run, or it is known why not', () => {
    const unknown = SHELL.flatMap(({ where, text }) =>
      commands(text)
        .filter((command) => !isRun(command) && !ASSIGNS.test(command) && why(command) === undefined)
        .map((command) => `${where}: ${command}`),
    )
    expect(unknown).toEqual([])
    const notRun = SHELL.flatMap(({ where, text }) => commands(text).map((command) => [where, why(command), command]))
      .filter(([, reason]) => reason !== undefined)
      .map(([where, reason, command]) => `${where} (${reason}): ${command?.split('\n')[0]}`)
    console.info(`${notRun.length} shell commands are not run:\n${notRun.join('\n')}`)
  })

  const withRequests = SHELL.filter(({ text }) => commands(text).some(isRun))
  test('there are some that are run', () => expect(withRequests.length).toBeGreaterThan(5))

  test.each(withRequests)('$where works, and works again', async ({ text }) => {
    const script = [
      'set -euo pipefail',
      `API=${url} ADMIN=${platform.instances[0]?.adminUrl}`,
      `KEY='x-api-key: ${DEMO_API_KEY}'`,
      'curl() { command curl --fail-with-body --silent --show-error "$@"; }',
      ...commands(here(text)).filter(
        (command) =>
          isRun(command.replaceAll(url, 'http://localhost:3001')) ||
          (ASSIGNS.test(command) && !/^(API|ADMIN|KEY)=|…/.test(command)),
      ),
    ].join('\n')
    for (const _ of TWICE) {
      // In one script twice, for what it sets once is what it sends again.
      const said = await run('bash', [
        '-c',
        `${script}\n${script
          .split('\n')
          .filter((line) => /^\s*curl [^(]|^\s+/.test(line))
          .join('\n')}`,
      ])
      expect(said.stdout).not.toBe('')
    }
  })
})

describe('JavaScript', () => {
  const [client, browser] = ['client/README.md', 'docs/live-protocol.md'].map((file) =>
    ALL.filter(({ where, language }) => where.startsWith(`${file}:`) && language === 'js'),
  ) as [Example[], Example[]]

  test('nothing is left out', () => {
    expect(
      ALL.filter(({ language }) => /^(js|javascript|ts)$/.test(language)).map(({ where }) => where.split(':')[0]),
    ).toEqual([
      'client/README.md',
      'client/README.md',
      'docs/live-protocol.md',
      // What a receiver does: api/test/webhooks/receiver.ts.
      'docs/webhooks.md',
      // A scenario inside k6: loadtests/test runs one.
      'loadtests/README.md',
    ])
  })

  test.each(client.slice(1))('$where tells of what changes, and goes on where it was', async ({ text }) => {
    const source = fileURLToPath(new URL('../../../client/src/index.ts', import.meta.url))
    const cwd = mkdtempSync(join(tmpdir(), 'hopwhistle-'))
    writeFileSync(join(cwd, 'example.mjs'), here(text).replace("'@hopwhistle/client'", JSON.stringify(source)))
    const told: string[] = []
    for (const _ of TWICE) {
      const child = spawn(process.execPath, ['example.mjs'], { cwd })
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
      const event = anEvent('RINGING')
      const id = event.callId
      await post(platform.instances[0]!, event, DEMO_API_KEY)
      await waitUntil(`the change of ${id}: ${said}`, () => said.includes(`changed: ${id} RINGING`), {
        timeoutMs: 30_000,
      })
      for (const before of told) expect(said).not.toContain(before)
      told.push(id)
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  })

  test.each(client.slice(0, 1))('$where works, and works again', async ({ text }) => {
    const source = fileURLToPath(new URL('../../../client/src/index.ts', import.meta.url))
    const file = join(mkdtempSync(join(tmpdir(), 'hopwhistle-')), 'example.mjs')
    writeFileSync(file, here(text).replace("'@hopwhistle/client'", JSON.stringify(source)))
    // One call: more would be newer than the example's, which lists three.
    const { callId } = anEvent('INITIATED')
    for (const _ of TWICE) {
      const child = spawn(process.execPath, [file])
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
      try {
        await waitUntil('what it printed', () => /(applied|late) RINGING[\s\S]*c-1 RINGING/.test(said), {
          timeoutMs: 30_000,
        })
        // It follows by now, or a moment later.
        await waitUntil(
          'a message',
          async () => {
            await post(platform.instances[0]!, anEvent('INITIATED', { callId }), DEMO_API_KEY)
            return /call\.initiated/.test(said)
          },
          { timeoutMs: 30_000, everyMs: 200 },
        )
      } catch (error) {
        throw new Error(said, { cause: error })
      } finally {
        child.kill('SIGKILL')
      }
    }
  })

  test.each(browser)('$where works, and works again', async ({ text }) => {
    for (const _ of TWICE) {
      const socket = new Function('WebSocket', here(text).replace('new WebSocket', 'return new WebSocket'))(WebSocket)
      await once(socket, 'open')
      expect(socket.protocol).toBe('hopwhistle.v1')
      socket.terminate()
    }
  })
})

test('the frames of docs/live-protocol.md are what is sent and answered', async () => {
  const { text = '' } =
    ALL.find(({ where, text }) => where.startsWith('docs/live-protocol.md:') && text.startsWith('→')) ?? {}
  const lines = text
    .trim()
    .split('\n')
    .map((line) => [line[0], line.slice(2).trim()] as const)
  const sent = lines.filter(([arrow]) => arrow === '→').map(([, frame]) => frame)
  const shown = lines.filter(([arrow]) => arrow !== '→').map(([, frame]) => JSON.parse(frame.replaceAll(/:…/g, ':0')))
  for (const _ of TWICE) {
    const socket = new WebSocket(url.replace('http', 'ws') + ROUTES.live, { headers: { 'x-api-key': DEMO_API_KEY } })
    const got: Record<string, unknown>[] = []
    socket.on('message', (data) =>
      got.push(
        ...String(data)
          .split('\n')
          .map((line) => JSON.parse(line)),
      ),
    )
    await once(socket, 'open')
    for (const frame of sent) socket.send(frame)
    await waitUntil('the answer', () => got.length > 0, { timeoutMs: 15_000 })
    const callId = anEvent('RINGING').callId
    for (const state of ['RINGING', 'BUSY'] as const)
      await post(platform.instances[0]!, anEvent(state, { callId }), DEMO_API_KEY)
    // Other examples may have sent events that come here as well.
    await waitUntil('a frame of each kind', () => shown.every((frame) => got.some(({ type }) => type === frame.type)), {
      timeoutMs: 15_000,
    })
    for (const frame of shown) {
      const like = got.find(({ type }) => type === frame.type)
      expect(Object.keys(like ?? {}), JSON.stringify(frame)).toEqual(Object.keys(frame))
    }
    socket.terminate()
  }
})

describe('OpenAPI', () => {
  type Schema = { examples?: unknown[]; default?: unknown; enum?: unknown[]; anyOf?: { const: unknown }[] }
  type Parameter = { name: string; in: string; required?: boolean; example?: unknown; schema: Schema }
  type Operation = { parameters?: Parameter[]; requestBody?: { content: Record<string, { example?: unknown }> } }

  /** As Swagger UI fills a parameter in. */
  const filledIn = ({ example, schema, required }: Parameter) =>
    example ??
    schema.examples?.[0] ??
    schema.default ??
    (required ? (schema.enum?.[0] ?? schema.anyOf?.[0]?.const) : undefined)

  test('what Swagger UI fills in works on every route, and works again', async () => {
    const document = (await (await fetch(`${url}${ROUTES.docs}/json`)).json()) as {
      paths: Record<string, Record<string, Operation>>
    }
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    )
    expect(operations.length).toBeGreaterThan(9)
    // What is read must have been written.
    // A webhook has an id that only its tenant knows.
    const open = operations.filter(({ path }) => !path.includes('{webhookId}'))
    const ordered = open.toSorted((a, b) => b.method.localeCompare(a.method))
    for (const _ of TWICE) {
      for (const { path, method, operation } of ordered) {
        const query = new URLSearchParams()
        let filled = path
        for (const parameter of operation.parameters ?? []) {
          const value = filledIn(parameter)
          if (parameter.in === 'path') filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(String(value)))
          else if (parameter.in === 'query' && value !== undefined) query.set(parameter.name, String(value))
        }
        const example = operation.requestBody?.content['application/json']?.example
        if (operation.requestBody !== undefined) expect(example, path).toBeDefined()
        const ask = async () => {
          const response = await fetch(`${url}${filled}?${query}`, {
            method,
            headers: { 'x-api-key': DEMO_API_KEY, 'content-type': 'application/json' },
            ...(example === undefined ? {} : { body: JSON.stringify(example) }),
          })
          return [response.status, await response.text()] as const
        }
        // It is written on the primary and may be read on the replica.
        // A callback is there for nobody but a provider.
        const expected = path === ROUTES.live ? [426] : path.includes('{callback}') ? [404] : [200, 201]
        await waitUntil(
          `${method} ${filled}?${query} to work: ${JSON.stringify(await ask())}`,
          async () => expected.includes((await ask())[0]),
          { timeoutMs: 10_000 },
        )
      }
    }
  })
})
