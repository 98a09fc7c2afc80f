/** A page in one file: no network, light and dark, for a phone, a keyboard and paper. */
import { readFileSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { gzipSync } from 'node:zlib'
import { LINES, THEME } from '../chart/theme.ts'
import { type Html, html, jsonScript } from '../html.ts'
import type { PageChart } from './page-chart.ts'

export type Page = {
  readonly title: string
  readonly body: Html
  readonly charts: readonly PageChart[]
  /** What can be saved from it, by file name. */
  readonly downloads: Readonly<Record<string, string>>
}

const read = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8')
/** Node strips types when it starts a file, and warns only when it is asked to: that this is an experiment of its own. */
function script(file: string): string {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return stripTypeScriptTypes(read(file), { mode: 'strip' }).replaceAll('</script', '<\\/script')
  } finally {
    process.emitWarning = emitWarning
  }
}

/**
 * @returns a whole HTML document
 * @example writeFileSync('report.html', renderPage({ title: 'Report', body: html`<h1>Report</h1>`, charts: [], downloads: {} }))
 */
export function renderPage({ title, body, charts, downloads }: Page): string {
  const echarts =
    charts.length === 0
      ? ''
      : readFileSync(createRequire(import.meta.url).resolve('echarts/dist/echarts.min.js'), 'utf8')
  const packed = Object.fromEntries(
    Object.entries(downloads).map(([name, text]) => [name, gzipSync(text, { level: 9 }).toString('base64')]),
  )
  const head = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title}</title>
`
  const scripts = charts.length === 0 ? [] : [`<script>${echarts.replaceAll('</script', '<\\/script')}</script>`]
  return [
    head.text,
    `<style>${colours()}${read('page.css')}</style>\n</head>\n<body>\n`,
    body.text,
    jsonScript('charts', { theme: THEME, lines: LINES, charts }).text,
    jsonScript('downloads', packed).text,
    ...scripts,
    `<script type="module">${script('browser/charts.ts')}</script>\n`,
    '</body>\n</html>\n',
  ].join('\n')
}

/** The colours of the pictures, as variables of the page. */
function colours(): string {
  const of = (place: 0 | 1) =>
    `:root{${Object.entries(THEME)
      .map(([role, pair]) => `--${role}:${pair[place]}`)
      .join(';')}}`
  return `${of(0)}@media(prefers-color-scheme:dark){${of(1)}}`
}
