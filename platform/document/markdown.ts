/** The Markdown elements of generated documents. */

/** A table, aligned in the source; `right` lists the columns that are aligned to the right. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const cells = [header, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = header.map((_, column) => Math.max(3, ...cells.map((row) => width(row[column] ?? ''))))
  const isRight = (column: number) => right.includes(column)
  const render = (row: readonly string[]) =>
    `| ${widths.map((size, column) => pad(row[column] ?? '', size, isRight(column))).join(' | ')} |`
  const rule = `| ${widths.map((size, column) => (isRight(column) ? `${'-'.repeat(size - 1)}:` : '-'.repeat(size))).join(' | ')} |`
  const [first = [], ...others] = cells
  return [render(first), rule, ...others.map(render)].join('\n')
}

/** Symbols that are two columns wide in a monospace font. */
const WIDE = /[✅❌⏳]|⚠️/gu

const width = (text: string): number => [...text.replace(WIDE, '..')].length

const pad = (text: string, size: number, right: boolean): string => {
  const space = ' '.repeat(Math.max(0, size - width(text)))
  return right ? space + text : text + space
}

export const bullets = (items: readonly string[]): string => items.map((item) => `- ${item}`).join('\n')

export const code = (language: string, ...lines: readonly string[]): string =>
  `\`\`\`${language}\n${lines.join('\n')}\n\`\`\``

/** Indents a block, so that it belongs to the numbered step before it. */
export const indented = (block: string): string => block.replaceAll(/^(?=.)/gm, '   ')

/** Blocks with an empty line between them; empty blocks are left out. */
export const blocks = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join('\n\n')

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** `24 November 2026`, of a time in UTC. */
export function day(time: string): string {
  const at = new Date(time)
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`
}

/** `24 November 2026, 03:12 UTC` */
export function minute(time: string): string {
  const at = new Date(time)
  const two = (n: number) => String(n).padStart(2, '0')
  return `${day(time)}, ${two(at.getUTCHours())}:${two(at.getUTCMinutes())} UTC`
}
