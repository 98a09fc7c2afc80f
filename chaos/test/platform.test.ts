import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { seededRandom } from '../../contract/traffic/report-queries.ts'
import { shuffled } from '../lib/shuffled.ts'
import { startLink } from '../rig/link.ts'
import { inNewNetwork, missingForOwnNetwork } from '../rig/own-network.ts'
import { missingForSmallDisk, mountSmallDisk } from '../rig/small-disk.ts'

const LINK = new URL('../rig/link.ts', import.meta.url).href

async function linkToEcho(random: () => number) {
  const server = createServer((socket) => socket.pipe(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const link = await startLink(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, random)
  const open = async (): Promise<Socket> => {
    const socket = connect(Number(new URL(link.through('tcp://127.0.0.1:1')).port), '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }
  onTestFinished(async () => {
    await link.close()
    server.close()
  })
  return { link, open }
}

async function echoMs(socket: Socket, text: string): Promise<number> {
  const began = performance.now()
  socket.write(text)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(String(answer)).toBe(text)
  return performance.now() - began
}

test('a connection that was half-open stays silent, and a new one works once the link is open', async () => {
  const { link, open } = await linkToEcho(() => 1)
  const old = await open()
  await echoMs(old, 'first')
  link.set('half-open')
  old.once('data', () => expect.unreachable('a half-open connection answered'))
  let closed = false
  old.once('close', () => {
    closed = true
  })
  old.write('second')
  const young = await open()
  young.once('data', () => expect.unreachable('a half-open connection answered'))
  young.write('third')
  link.set('open')
  await echoMs(await open(), 'fourth')
  expect(closed).toBe(false)
})

test('a slow link delays each direction, and a lost packet even longer', async () => {
  let next = 1
  const { link, open } = await linkToEcho(() => next)
  const socket = await open()
  link.set({ delayMs: 40, lossRatio: 0.02 })
  expect(await echoMs(socket, 'late')).toBeGreaterThanOrEqual(80)
  next = 0.01
  expect(await echoMs(socket, 'lost')).toBeGreaterThanOrEqual(640)
})

const noNetwork = missingForOwnNetwork()
test.skipIf(noNetwork !== undefined)(
  'packets are lost in a network of its own: all when half-open, and some (needs root on Linux, and iptables)',
  () => {
    const program = `
    import { once } from 'node:events'
    import { connect, createServer } from 'node:net'
    import { startLink } from ${JSON.stringify(LINK)}
    const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const link = await startLink('tcp://127.0.0.1:' + server.address().port, () => 0.5)
    const open = () => connect(new URL(link.through('tcp://127.0.0.1:1')).port, '127.0.0.1')
    const connects = (socket) => new Promise((resolve) => {
      socket.once('connect', () => resolve('connected')).setTimeout(400, () => resolve('silence'))
    })
    const said = []
    link.set('half-open')
    const young = open()
    said.push(await connects(young))
    young.destroy()
    link.set('open')
    const socket = open().setNoDelay()
    said.push(await connects(socket))
    link.set({ delayMs: 0, lossRatio: 0.1 })
    let slow = 0
    for (let i = 0; i < 100; i++) {
      const began = performance.now()
      socket.write('x')
      await once(socket, 'data')
      if (performance.now() - began > 150) slow += 1
    }
    said.push(slow > 0 ? 'some were sent again' : 'none was lost')
    console.log(said.join())
    process.exit()`
    const { command, args, env } = inNewNetwork(process.execPath, ['--input-type=module', '-e', program])
    expect(execFileSync(command, args, { env: { ...process.env, ...env }, encoding: 'utf8' })).toBe(
      'silence,connected,some were sent again\n',
    )
  },
)

test('the same seed brings the same order', () => {
  const order = (seed: number) => shuffled(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], seededRandom(seed))
  expect(order(7)).toEqual(order(7))
  expect(order(7)).not.toEqual(order(8))
  expect([...order(7)].sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
})

test('an instance whose clock is stepped sees no other time', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-clock-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'shift')
  writeFileSync(file, '60000')
  const program = `const began = performance.now()
    setTimeout(() => console.log(JSON.stringify([Date.now(), new Date().getTime(), new Date(5).getTime(),
      Date.parse('1970-01-01T00:00:01Z'), new Date() instanceof Date, performance.now() - began])), 400)`
  const shim = new URL('../rig/shift-clock.ts', import.meta.url).href
  const before = Date.now()
  const env = { ...process.env, CLOCK_SHIFT_FILE: file }
  const printed = execFileSync(process.execPath, ['--import', shim, '-e', program], { env, encoding: 'utf8' })
  const [now, made, given, parsed, isDate, tookMs] = JSON.parse(printed) as [
    number,
    number,
    number,
    number,
    boolean,
    number,
  ]
  expect(now - before).toBeGreaterThanOrEqual(60_000)
  expect(made).toBeGreaterThanOrEqual(now)
  expect([given, parsed, isDate]).toEqual([5, 1000, true])
  expect(tookMs).toBeLessThan(50_000)
})

const missing = missingForSmallDisk()
test.skipIf(missing !== undefined)(`a small disk is full to the last byte (needs root on Linux)`, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopwhistle-disk-'))
  const disk = mountSmallDisk(dir)
  try {
    await disk.fill()
    expect(() => writeFileSync(join(dir, 'one-more'), 'x'.repeat(5000))).toThrow(/ENOSPC/)
    disk.empty()
    writeFileSync(join(dir, 'one-more'), 'x'.repeat(5000))
    expect(statSync(join(dir, 'one-more')).size).toBe(5000)
  } finally {
    disk.unmount()
    rmSync(dir, { recursive: true, force: true })
  }
})
