import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterAll, expect, test, vi } from 'vitest'
import { GiveUp, waitUntil } from '../../lib/wait-until.ts'
import { freePort } from '../../machine/free-port.ts'
import { isAlive } from '../../machine/process-identity.ts'
import type { StackRecord } from '../../stack/stack-record.ts'
import { readRecord, writeRecord } from '../../stack/stack-record.ts'
import { type Ended, program } from '../../test-support/program.ts'

vi.setConfig({ testTimeout: 120_000 })

const PORT = await freePort()
const here = program(new URL('../../main.ts', import.meta.url), { PORT: String(PORT), API_INSTANCES: '2' })
const folder = () => `${here.tempDir}/${here.leftFiles().find((name) => name.startsWith('hopwhistle-'))}`
const record = () => readRecord(folder()) as StackRecord

afterAll(async () => {
  await here.run('down')
  here.remove()
})

async function untilPostgresRuns(ended: Promise<Ended>): Promise<void> {
  let early: Ended | undefined
  ended.then((result) => {
    early = result
  })
  await waitUntil(
    'Postgres to run',
    () => {
      if (early !== undefined) throw new GiveUp(new Error(`up ended before that: ${early.stderr}`))
      return here.leftFiles().length > 0 && record()?.processes.length >= 2
    },
    { timeoutMs: 60_000 },
  )
}

let first: Ended

test('the platform comes up, and up once more changes nothing', async () => {
  first = await here.run('up', '--empty')
  expect(first).toMatchObject({ code: 0 })
  expect(first.stdout).toContain(`http://127.0.0.1:${PORT}`)
  const before = record()
  expect(before.processes.map(({ name }) => name)).toEqual([
    'postgres primary',
    'postgres replica',
    'redis',
    'api-1',
    'api-2',
  ])

  const second = await here.run('up', '--empty')
  expect(second).toMatchObject({ code: 0 })
  expect(second.stdout).toContain('already up')
  expect(record()).toEqual(before)
})

test('without a terminal, each step has a line for its begin and one for its end', async () => {
  const steps = ['Postgres and replica', 'Redis', 'Schema', 'API']
  const said = first.stderr.trimEnd().split('\n')
  expect(said.map((line) => /^\d\d:\d\d:\d\d {2}([…✓] [\w ]+?)(?: {2}.*)?(?: \(.* s\))?$/.exec(line)?.[1])).toEqual(
    steps.flatMap((step) => [`… ${step}`, `✓ ${step}`]),
  )
  expect(said.filter((line) => line.includes('✓')).every((line) => line.endsWith(' s)'))).toBe(true)
})

test('its state is for this user alone, and no process shows a password', async () => {
  const { mode } = statSync(`${folder()}/stack.json`)
  expect((mode & 0o777).toString(8)).toBe('600')
  const passwords = Object.values(record().details?.urls ?? {})
    .map((url) => new URL(url).password)
    .filter((password) => password !== '')
  expect(passwords).toHaveLength(4)
  const shown = here.leftProcesses().filter((command) => passwords.some((password) => command.includes(password)))
  expect(shown).toEqual([])
})

test('both instances answer on the one port, and status says that all is well', async () => {
  const answer = await fetch(`http://127.0.0.1:${PORT}/readyz`)
  expect(answer.status).toBe(200)
  const status = await here.run('status')
  expect(status.code).toBe(0)
  for (const name of ['postgres primary', 'postgres replica', 'redis', 'api-1', 'api-2']) {
    expect(status.stdout).toMatch(new RegExp(`${name}.*(well|ready)`))
  }
})

test('status names an instance that was killed, and up puts things right', async () => {
  const killed = record().processes.find(({ name }) => name === 'api-2')!
  process.kill(killed.pid, 'SIGKILL')
  await waitUntil('status to notice', async () => (await here.run('status')).code === 1, { timeoutMs: 30_000 })
  expect((await here.run('status')).stdout).toMatch(/api-2.*ended/)
  expect((await here.run('up', '--empty')).code).toBe(0)
  expect((await here.run('status')).code).toBe(0)
})

test('down leaves no process and no file, and down once more is fine', async () => {
  const processes = record().processes
  expect(await here.run('down')).toMatchObject({ code: 0 })
  expect(processes.filter(isAlive)).toEqual([])
  expect(here.leftProcesses()).toEqual([])
  expect(here.leftFiles()).toEqual([])
  expect(await here.run('down')).toMatchObject({ code: 0, stdout: 'Nothing is up.\n' })
})

test('a port that is taken is named, with who has it, and nothing is started', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(PORT, '127.0.0.1', resolve))
  try {
    const { code, stderr } = await here.run('up', '--empty')
    expect(code).toBe(2)
    expect(stderr).toMatch(new RegExp(`port ${PORT}.*in use by .*process ${process.pid}`))
    expect(here.leftProcesses()).toEqual([])
    expect(here.leftFiles()).toEqual([])
  } finally {
    server.close()
  }
})

test('a stranger that shares the port is named, for it would answer a part of the requests', async () => {
  const { ended } = here.start('up', '--empty')
  const stranger = createServer()
  try {
    await untilPostgresRuns(ended)
    await new Promise<void>((resolve, reject) => {
      stranger.once('error', reject)
      stranger.listen({ port: PORT, host: '127.0.0.1', reusePort: true }, resolve)
    })
    const { code, stderr } = await ended
    expect(code, stderr).toBe(2)
    expect(stderr).toMatch(new RegExp(`port ${PORT} is shared with node.*process ${process.pid}`))
    expect(here.leftFiles()).toEqual([])
  } finally {
    stranger.close()
    await ended
    await here.run('down')
  }
})

test('an up that is killed half way leaves nothing behind', async () => {
  const { child, ended } = here.start('up', '--empty')
  await untilPostgresRuns(ended)
  child.kill('SIGKILL')
  await ended
  await waitUntil('the rest to be gone', () => here.leftProcesses().length === 0 && here.leftFiles().length === 0, {
    timeoutMs: 20_000,
  })
})

test('the first Ctrl-C takes an unfinished up back in order, the second at once', async () => {
  for (const times of [1, 2]) {
    const { child, ended } = here.start('up', '--empty')
    await untilPostgresRuns(ended)
    for (let i = 0; i < times; i++) child.kill('SIGINT')
    expect(await ended).toMatchObject({ code: 2, stderr: expect.stringContaining('Stopping') })
    await waitUntil('the rest to be gone', () => here.leftProcesses().length === 0 && here.leftFiles().length === 0, {
      timeoutMs: 20_000,
    })
  }
})

test('a stale record never stops a stranger who has got its process id', async () => {
  const stranger = spawn('sleep', ['60'], { stdio: 'ignore' })
  try {
    expect((await here.run('up', '--empty')).code).toBe(0)
    const real = record()
    writeRecord(folder(), {
      ...real,
      processes: [...real.processes, { ...real.processes[0]!, name: 'gone', pid: stranger.pid!, started: '1' }],
    })
    expect((await here.run('down')).code).toBe(0)
    expect(stranger.exitCode).toBeNull()
    expect(stranger.signalCode).toBeNull()
    expect(() => process.kill(stranger.pid!, 0)).not.toThrow()
  } finally {
    stranger.kill()
  }
})

test('a flag that is not known is an error that names it', async () => {
  expect(await here.run('up', '--fast')).toMatchObject({ code: 2, stderr: expect.stringContaining("'--fast'") })
  expect(await here.run('upp')).toMatchObject({ code: 2, stderr: expect.stringContaining('"upp"') })
})
