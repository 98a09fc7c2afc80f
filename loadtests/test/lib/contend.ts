/** Measures alone again and again, as `contend.ts FOLDER SECONDS`. Says how often, and fails when it was not alone. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@hopwhistle/platform/command-line/failure.ts'
import { openTerminal } from '@hopwhistle/platform/command-line/terminal.ts'
import { measureAlone } from '@hopwhistle/platform/machine/measure-alone.ts'

const [folder = '', seconds] = process.argv.slice(2)
const options = { command: 'contend', wait: false, terminal: openTerminal() }
const inside = join(folder, 'inside')
let times = 0
for (const until = performance.now() + 1000 * Number(seconds); performance.now() < until; ) {
  try {
    await measureAlone(options, async () => {
      // Fails when another is inside as well.
      writeFileSync(inside, '', { flag: 'wx' })
      times += 1
      rmSync(inside)
    })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
  }
}
process.stdout.write(`${times}\n`)
