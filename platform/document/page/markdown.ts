import { Marked } from 'marked'
import { escapeHtml, Html } from '../html.ts'

/** HTML in the Markdown is shown as text: some of it is what programs and clusters said. */
const marked = new Marked({ gfm: true, renderer: { html: ({ text }) => escapeHtml(text) } })

/** @example markdown('**a** < b').text // '<p><strong>a</strong> &lt; b</p>\n' */
export const markdown = (text: string): Html => new Html(wideTables(marked.parse(text, { async: false })))

/** The same of one line, without a paragraph around it. */
export const markdownLine = (text: string): Html => new Html(marked.parseInline(text, { async: false }))

/** A table scrolls by itself where the screen is narrow, also by keyboard. */
const wideTables = (text: string): string =>
  text
    .replaceAll('<table>', '<div class="wide" tabindex="0" role="group" aria-label="table"><table>')
    .replaceAll('</table>', '</table></div>')
