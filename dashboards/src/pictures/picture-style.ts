/** How pictures of boards look, in light and in dark: they follow the reader's colour scheme. */
type Colours = {
  readonly page: string
  readonly card: string
  readonly edge: string
  readonly text: string
  readonly quiet: string
  readonly grid: string
  readonly good: string
  readonly warn: string
  readonly bad: string
  /** Told apart by people who see red and green alike (Okabe and Ito). */
  readonly series: readonly string[]
}

const LIGHT: Colours = {
  page: '#f6f8fa',
  card: '#ffffff',
  edge: '#d0d7de',
  text: '#1f2328',
  quiet: '#59636e',
  grid: '#e4e8ec',
  good: '#1a7f37',
  warn: '#bc4c00',
  bad: '#cf222e',
  series: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#b8860b', '#56b4e9', '#6f42c1', '#7f7f7f'],
}

const DARK: Colours = {
  page: '#010409',
  card: '#0d1117',
  edge: '#3d444d',
  text: '#f0f6fc',
  quiet: '#9198a1',
  grid: '#262c36',
  good: '#3fb950',
  warn: '#f0883e',
  bad: '#f85149',
  series: ['#56b4e9', '#e69f00', '#2fbf8f', '#e39bc4', '#f0e442', '#8ab4f8', '#bc8cff', '#b0b0b0'],
}

export const SERIES_COLOURS = LIGHT.series.length

const rules = ({ page, card, edge, text, quiet, grid, good, warn, bad, series }: Colours): string =>
  [
    `.page{fill:${page}}.cover{fill:${card}}.card{fill:${card};stroke:${edge}}`,
    `text{fill:${quiet}}.board,.title,.row{fill:${text}}`,
    `.grid{stroke:${grid}}.test{fill:${series[0]}}`,
    ...Object.entries({ good, warn, bad }).map(
      ([level, colour]) => `.${level}{fill:${colour}}.${level}-line{stroke:${colour}}`,
    ),
    ...series.map(
      (colour, i) => `.s${i}{stroke:${colour}}.s${i}-fill{fill:${colour};stroke:none}.s${i}-area{fill:${colour}}`,
    ),
  ].join('')

const SHAPES = [
  'text{font:10px -apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif}',
  '.board{font-size:17px;font-weight:600}.row{font-size:12px;font-weight:600}',
  '.title{font-size:11px;font-weight:600}.figure{font-size:22px;font-weight:600}',
  'path{fill:none;stroke-width:1.4;stroke-linejoin:round}.test{opacity:.07}[class$=-area]{opacity:.25;stroke:none}',
  '.good-line,.warn-line,.bad-line{stroke-dasharray:4 3;opacity:.6}',
].join('')

export const PICTURE_STYLE = `${rules(LIGHT)}@media (prefers-color-scheme:dark){${rules(DARK)}}${SHAPES}`
