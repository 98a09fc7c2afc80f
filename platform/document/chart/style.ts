/**
 * The style of charts, light and dark. A chart has its own background, so it is legible everywhere, and follows the
 * reader's colour scheme, which an image can query.
 */
type Colours = Readonly<
  Record<'card' | 'edge' | 'text' | 'quiet' | 'grid' | 'ramp' | 'p50' | 'p95' | 'p99' | 'rate', string>
>

const LIGHT: Colours = {
  card: '#ffffff',
  edge: '#d0d7de',
  text: '#1f2328',
  quiet: '#59636e',
  grid: '#e4e8ec',
  ramp: '#f3f5f8',
  p50: '#0969da',
  p95: '#8250df',
  p99: '#bc4c00',
  rate: '#1a7f37',
}

const DARK: Colours = {
  card: '#0d1117',
  edge: '#3d444d',
  text: '#f0f6fc',
  quiet: '#9198a1',
  grid: '#262c36',
  ramp: '#161b22',
  p50: '#58a6ff',
  p95: '#bc8cff',
  p99: '#f0883e',
  rate: '#3fb950',
}

const rules = (c: Colours): string =>
  [
    `.card{fill:${c.card};stroke:${c.edge}}`,
    `text{fill:${c.quiet}}`,
    `.title,.strong{fill:${c.text}}`,
    `.grid{stroke:${c.grid}}`,
    `.axis{stroke:${c.edge}}`,
    `.ramp{fill:${c.ramp}}`,
    ...(['p50', 'p95', 'p99', 'rate'] as const).map(
      (name) => `.${name}{stroke:${c[name]}}.${name}-text{fill:${c[name]}}.${name}-area{fill:${c[name]}}`,
    ),
  ].join('')

const SHAPES = [
  'text{font:11px -apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif}',
  '.title{font-size:15px;font-weight:600}',
  '.strong{font-weight:600}',
  '.p50-text,.p95-text,.p99-text,.rate-text{font-weight:600}',
  'path{fill:none;stroke-width:1.75;stroke-linejoin:round;stroke-linecap:round}',
  'line.p50,line.p95,line.p99,line.rate{stroke-width:2}',
  '.p50-area,.p95-area,.p99-area,.rate-area{stroke:none;opacity:.14}',
  'line.target{stroke-dasharray:5 4;stroke-width:1.25;opacity:.75}',
].join('')

export const STYLE = `${rules(LIGHT)}@media (prefers-color-scheme:dark){${rules(DARK)}}${SHAPES}`
