/** Secrets are planted in a running API, it is made to leave what Linux and Node leave of a process, and that is searched. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  accessSync,
  chmodSync,
  constants,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { waitUntil } from '../../../platform/lib/wait-until.ts'
import { apiProcess } from '../platform/api-process.ts'
import { anEvent, type Platform, runningPlatform } from '../platform/running-platform.ts'

const CORE_PATTERN = '/proc/sys/kernel/core_pattern'
const DOCKERFILE = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8')
const ENTRYPOINT = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(DOCKERFILE)?.[1] ?? '[]') as string[]

let platform: Platform
beforeAll(async () => {
  platform = await runningPlatform(0)
})
afterAll(() => platform?.close())

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-dumps-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** An instance that has its password, and has just used a key. */
async function withSecrets(...[env, wrapped]: [env: Record<string, string>, wrapped?: Wrapped]) {
  const { key } = await platform.newTenant()
  const api = await apiProcess(platform, { LOG_LEVEL: 'silent', ...env }, wrapped)
  onTestFinished(() => void api.process.kill('SIGKILL'))
  const headers = { 'content-type': 'application/json', 'x-api-key': key }
  const body = JSON.stringify(anEvent('RINGING'))
  expect((await fetch(`${api.url}/api/v1/events/call`, { method: 'POST', headers, body })).status).toBe(201)
  return { process: api.process, secrets: [new URL(platform.database.apiUrl).password, key] }
}
type Wrapped = (command: readonly string[]) => readonly string[]

function isIn(file: string, secret: string): boolean {
  try {
    execFileSync('grep', ['--quiet', '--text', '--fixed-strings', '--', secret, file])
    return true
  } catch {
    return false
  }
}

/**
 * The setting is the whole machine's: other test runs wait for their turn, and a process of its own puts it back as soon
 * as the pipe to it closes, which it does even when this process is killed.
 */
async function whileDumpsGoTo(pattern: string, run: () => Promise<void>): Promise<void> {
  const holder = spawn('flock', [CORE_PATTERN, 'sh', '-c', HOLD, 'sh', pattern], { detached: true })
  await once(holder.stdout, 'data')
  await run().finally(async () => {
    holder.stdin.end()
    await once(holder, 'close')
  })
}
const HOLD = `before=$(cat ${CORE_PATTERN}); printf %s "$1" >${CORE_PATTERN}; echo; cat; printf %s "$before" >${CORE_PATTERN}`

const missing = whyNoDumps()
describe.skipIf(missing !== undefined)(`a crash${missing ?? ''}`, { timeout: 60_000 }, () => {
  const unlimited: Wrapped = (command) => ['prlimit', '--core=unlimited:unlimited', ...command]
  const forbidden: Wrapped = (command) => ['prlimit', '--core=0:0', ...command]
  const asInTheImage: Wrapped = (command) => [...ENTRYPOINT, ...command]

  /** What the kernel leaves of an instance that ends by a signal. @returns the files, and a secret that each has */
  async function leftBy(signal: NodeJS.Signals, to: 'file' | 'program', wrapped: Wrapped) {
    const dir = folder()
    const program = join(dir, 'collect')
    writeFileSync(program, `#!/bin/sh\ncat >${dir}/core.part && mv ${dir}/core.part ${dir}/core\n`)
    chmodSync(program, 0o755)
    const { process, secrets } = await withSecrets({}, wrapped)
    await whileDumpsGoTo(to === 'file' ? join(dir, 'core') : `|${program}`, async () => {
      process.kill(signal)
      const [, endedBy] = await once(process, 'exit')
      expect(endedBy).toBe(signal)
    })
    // The kernel lets a process go only when it has written it, or the program has read it; `mv` may come a little later.
    await waitUntil('the program to end', () => !readdirSync(dir).includes('core.part'), { timeoutMs: 20_000 })
    const files = readdirSync(dir).filter((name) => name.startsWith('core'))
    return {
      files: files.length,
      secrets: files.flatMap((name) => secrets.filter((secret) => isIn(join(dir, name), secret))).length,
    }
  }

  test.each([
    ['SIGABRT', 'file'],
    ['SIGSEGV', 'file'],
    ['SIGABRT', 'program'],
  ] as const)('by %s, with dumps that go to a %s, leaves none of the image', async (signal, to) => {
    // Without the entrypoint there is one, with everything in it: so the search finds what there is to find.
    expect(await leftBy(signal, to, unlimited)).toEqual({ files: 1, secrets: 2 })
    const wrapped: Wrapped = (command) => unlimited(asInTheImage(command))
    expect(await leftBy(signal, to, wrapped)).toEqual({ files: 0, secrets: 0 })
  })

  test('leaves none, and the image starts, where the limit is 0 already and cannot be raised', async () => {
    const unprivileged: Wrapped = (command) => ['setpriv', '--bounding-set=-all', '--inh-caps=-all', ...command]
    const wrapped: Wrapped = (command) => forbidden(unprivileged(asInTheImage(command)))
    expect(await leftBy('SIGABRT', 'file', wrapped)).toEqual({ files: 0, secrets: 0 })
  })
})

test('a diagnostic report that somebody asks Node for has no password', async () => {
  const dir = folder()
  const { process, secrets } = await withSecrets({
    NODE_OPTIONS: `--report-on-signal --report-signal=SIGUSR2 --report-directory=${dir}`,
  })
  process.kill('SIGUSR2')
  const report = () => readdirSync(dir).find((name) => name.endsWith('.json'))
  await waitUntil('the report', () => report() !== undefined && isIn(join(dir, report()!), '"sharedObjects"'), {
    timeoutMs: 20_000,
  })
  expect(secrets.filter((secret) => isIn(join(dir, report()!), secret))).toEqual([])
  expect(isIn(join(dir, report()!), 'api/src/main.ts')).toBe(true)
})

/** @returns why the kernel of this machine cannot be made to dump, in words that follow a name */
function whyNoDumps(): string | undefined {
  if (process.platform !== 'linux') return ' (skipped: needs Linux)'
  try {
    accessSync(CORE_PATTERN, constants.W_OK)
    execFileSync('flock', [CORE_PATTERN, 'true'])
    execFileSync('prlimit', ['--core=unlimited:unlimited', 'true'])
    execFileSync('setpriv', ['--version'])
    return undefined
  } catch {
    return ' (skipped: needs root, a kernel of its own, flock, prlimit and setpriv)'
  }
}
