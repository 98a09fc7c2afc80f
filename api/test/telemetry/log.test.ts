import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createLog } from '../../src/telemetry/log.ts'
import { logConsole } from '../../src/telemetry/log-console.ts'

const LOG = fileURLToPath(new URL('../../src/telemetry/log.ts', import.meta.url))
/** A device on which every write finds a full disk. */
const FULL = '/dev/full'

test.skipIf(!existsSync(FULL))(`a full disk under the log ends nobody (needs ${FULL})`, async () => {
  const program = `
    import { setTimeout as sleep } from 'node:timers/promises'
    import { createLog } from ${JSON.stringify(LOG)}
    const log = createLog({ level: 'info', instanceId: 'one' })
    for (let i = 0; i < 50; i++) { log.info('x'.repeat(50_000)); await sleep(2) }
    process.stderr.write('still here')`
  const full = openSync(FULL, 'w')
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', full, 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  closeSync(full)
  let said = ''
  child.stderr?.on('data', (text) => {
    said += text
  })
  const [code] = await once(child, 'close')
  expect(said).toBe('still here')
  expect(code).toBe(0)
})

test('what a library writes to the console is a line of the log', () => {
  const { log: before, info, warn, error } = console
  onTestFinished(() => void Object.assign(console, { log: before, info, warn, error }))
  const lines: Record<string, unknown>[] = []
  logConsole(createLog({ level: 'info', instanceId: 'a' }, { write: (line) => void lines.push(JSON.parse(line)) }))
  console.error('[ioredis] Unhandled error event:', { port: 6379 })
  expect(lines).toMatchObject([{ level: 40, said: '[ioredis] Unhandled error event: { port: 6379 }' }])
})
