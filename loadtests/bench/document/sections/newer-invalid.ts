import { SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { list } from '@hopwhistle/platform/document/figures.ts'
import { blocks, bullets, minute } from '@hopwhistle/platform/document/markdown.ts'
import type { InvalidRun } from '../baseline.ts'
import type { Measured } from '../model.ts'
import { commitText, sentence } from './words.ts'

/** Under the figures of a scenario that has been run since, in vain: what was tried, and why it does not count. */
export function newerInvalidNote({ profile, startedAt, source, reasons }: InvalidRun): string {
  return blocks(
    `⚠️ **A newer run was invalid**, proves nothing and is not shown: profile \`${profile}\`, ${minute(startedAt)}, ` +
      `commit ${commitText(source)}. The figures above are of the last valid run. Why it was invalid:`,
    bullets(reasons.map(({ text }) => sentence(text))),
  )
}

/** In the overview; nothing when every scenario's last run counts. */
export function newerInvalidSummary(measured: readonly Measured[]): string {
  const those = measured.filter(({ newerInvalid }) => newerInvalid !== undefined)
  if (those.length === 0) return ''
  const names = list(those.map(({ scenario }) => SCENARIOS[scenario].title.toLowerCase()))
  return (
    `⚠️ A newer run of ${names} was invalid: what is shown is the last valid run, and its section says why the newer ` +
    'one does not count.'
  )
}
