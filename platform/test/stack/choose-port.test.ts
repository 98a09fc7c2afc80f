import { afterEach, expect, test } from 'vitest'
import { freePort } from '../../machine/free-port.ts'
import { choosePort, type HeldPort, type PortWish } from '../../stack/choose-port.ts'

const held: HeldPort[] = []
afterEach(() => Promise.all(held.splice(0).map((port) => port.release())))

async function choose(wish: PortWish, shared: boolean): Promise<number> {
  const port = await choosePort(wish, { host: '127.0.0.1', shared })
  held.push(port)
  return port.number
}

const outcomes = (all: readonly PromiseSettledResult<number>[]) => all.map(({ status }) => status).sort()

for (const shared of process.platform === 'linux' ? [true, false] : [false]) {
  const how = shared ? 'for instances that share it' : 'for one instance'

  test(`a port ${how} is that of one stack from when it is chosen`, async () => {
    const number = await freePort()
    expect(await choose({ number, when: 'preferred' }, shared)).toBe(number)
    expect(await choose({ number, when: 'preferred' }, shared)).not.toBe(number)
    await expect(choose({ number, when: 'required' }, shared)).rejects.toThrow(`port ${number}`)
  })

  test(`two stacks that choose at the same moment never get the same port, ${how}`, async () => {
    for (let round = 0; round < 5; round++) {
      const number = await freePort()
      const wishes = Array.from({ length: 4 }, () => choose({ number, when: 'preferred' }, shared))
      expect(new Set(await Promise.all(wishes)).size).toBe(4)
      const required = await Promise.allSettled(
        [1, 2].map(() => choose({ number: number + 1, when: 'required' }, shared)),
      )
      expect(outcomes(required)).not.toEqual(['fulfilled', 'fulfilled'])
      await Promise.all(held.splice(0).map((port) => port.release()))
    }
  })
}

test('a port that was released can be chosen again', async () => {
  const number = await freePort()
  const first = await choosePort({ number, when: 'required' }, { host: '127.0.0.1', shared: true })
  await first.release()
  expect(await choose({ number, when: 'required' }, true)).toBe(number)
})
