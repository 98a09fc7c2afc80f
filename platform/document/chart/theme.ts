/**
 * The colours of pictures, in light and in dark.
 *
 * A chart names the light ones. A file has them as attributes, and a style sheet replaces each by its dark counterpart
 * where the reader prefers dark: so each light colour stands for one thing only.
 */

export const THEME = {
  page: ['#f6f8fa', '#010409'],
  card: ['#ffffff', '#0d1117'],
  edge: ['#d0d7de', '#3d444d'],
  text: ['#1f2328', '#f0f6fc'],
  quiet: ['#59636e', '#9198a1'],
  grid: ['#e4e8ec', '#262c36'],
  shade: ['#f3f5f8', '#161b22'],
  p50: ['#0969da', '#58a6ff'],
  p95: ['#8250df', '#bc8cff'],
  p99: ['#bc4c00', '#f0883e'],
  rate: ['#1a7f37', '#3fb950'],
  bad: ['#cf222e', '#f85149'],
  other: ['#afb8c1', '#484f58'],
} as const

export type Role = keyof typeof THEME

/** By what they stand for. */
export const COLOURS = Object.fromEntries(Object.entries(THEME).map(([role, [light]]) => [role, light])) as Readonly<
  Record<Role, string>
>

/** Eight lines that people who see red and green alike can tell apart (Okabe and Ito). */
export const LINES = [
  ['#0072b2', '#56b4e9'],
  ['#d55e00', '#e69f00'],
  ['#009e73', '#2fbf8f'],
  ['#cc79a7', '#e39bc4'],
  ['#b8860b', '#f0e442'],
  ['#56b4e9', '#8ab4f8'],
  ['#6f42c1', '#bc8cfe'],
  ['#7f7f7f', '#b0b0b0'],
] as const
export const LINE_COLOURS = LINES.map(([light]) => light)

/** Of most texts, in pixels. */
export const FONT_SIZE = 11
const FONT = '-apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif'

/** Of a file with these elements: what they have in common, and the dark colours of those that they have. */
export function styleSheet(elements: string, fontSize: number): string {
  const dark = [...Object.values(THEME), ...LINES].flatMap(([light, dark]) =>
    ['fill', 'stroke']
      .filter((property) => elements.includes(`${property}="${light}"`))
      .map((property) => `[${property}="${light}"]{${property}:${dark}}`),
  )
  return `svg{font:${fontSize}px ${FONT}}@media (prefers-color-scheme:dark){${dark.join('')}}`
}
