import { expect, test } from 'vitest'
import { openTerminal } from '../../command-line/terminal.ts'
import { waitUntil } from '../../lib/wait-until.ts'

/** A stream, and what was written to it. */
function output(isTTY: boolean) {
  let text = ''
  const write = (more: string | Uint8Array) => {
    text += more
    return true
  }
  return { stream: { isTTY, columns: 40, write }, text: () => text, lines: () => text.trimEnd().split('\n') }
}

/** Returns to the start of a line, or begins a control sequence. */
const controlsIn = (text: string) => ['\r', '\x1b'].filter((control) => text.includes(control))

test('without a terminal a step is a line when it begins and one when it ends, with the time and how long it took', async () => {
  const { stream, text, lines } = output(false)
  const terminal = openTerminal(stream)
  expect(
    await terminal.during(
      'Redis',
      async () => 7,
      (port) => `✓ Redis on port ${port}`,
    ),
  ).toBe(7)
  await terminal.during('stopping', async () => {})
  expect(lines()).toEqual([
    expect.stringMatching(/^\d\d:\d\d:\d\d {2}… Redis$/),
    expect.stringMatching(/^\d\d:\d\d:\d\d {2}✓ Redis on port 7 \(\d+\.\d s\)$/),
    expect.stringMatching(/^\d\d:\d\d:\d\d {2}… stopping$/),
    expect.stringMatching(/^\d\d:\d\d:\d\d {2}✓ stopping \(\d+\.\d s\)$/),
  ])
  expect(controlsIn(text())).toEqual([])
})

test('a step that fails says so, and gives its error on', async () => {
  const { stream, lines } = output(false)
  const fails = openTerminal(stream).during('Postgres', () => Promise.reject(new Error('no disk')))
  await expect(fails).rejects.toThrow('no disk')
  expect(lines().at(-1)).toMatch(/✗ Postgres \(\d+\.\d s\)$/)
})

test('without a terminal a step says now and then how far it is, and never rewrites a line', () => {
  const [often, seldom] = [output(false), output(false)]
  const [eager, patient] = [openTerminal(often.stream, 0), openTerminal(seldom.stream)]
  for (const terminal of [eager, patient]) {
    terminal.show('  … 10 %')
    terminal.show('  … 20 %')
    terminal.clear()
  }
  expect(often.lines().map((line) => line.slice(10))).toEqual(['… 10 %', '… 20 %'])
  expect(controlsIn(often.text())).toEqual([])
  expect(seldom.text()).toBe('')
})

test('without a terminal a step that shows nothing says from time to time that it is still at work', async () => {
  const { stream, lines } = output(false)
  const twice = () => lines().filter((line) => /… Installing \(\d/.test(line)).length >= 2
  await openTerminal(stream, 5).during('Installing', () => waitUntil('two such lines', twice, { timeoutMs: 10_000 }))
  expect(lines().at(-1)).toContain('✓ Installing')
})

test('on a terminal one line is rewritten, and only what is done stays', async () => {
  const { stream, text } = output(true)
  const terminal = openTerminal(stream)
  await terminal.during('warming up', async () => terminal.show('  … half way'))
  await terminal.during(
    'Redis',
    async () => {},
    () => '✓ Redis',
  )
  terminal.clear()
  const stays = text()
    .split('\n')
    .map((line) => line.split('\x1b[2K').at(-1))
  expect(stays).toEqual([expect.stringMatching(/^ {2}✓ Redis \(\d+\.\d s\)$/), ''])
})
