/** What pages of measurements have in common: a contents list, tables that scroll by themselves, and the data to save. */
import { type Html, html } from '../html.ts'

/** What a verdict is shown as. */
export type Sign = 'met' | 'missed' | 'invalid'

export const signed = (sign: Sign, text: string): Html => html`<span class="${sign}">${text}</span>`

/** @param entries the id of a section, its name, and what is said of it here already */
export const contents = (entries: readonly (readonly [id: string, name: string, said?: Html])[]): Html =>
  html`<nav aria-label="Contents"><ul>
${entries.map(([id, name, said]) => html`<li><a href="#${id}">${name}</a> ${said}</li>\n`)}</ul></nav>`

/** @param label says which it is, to those who cannot see it; unique in the page */
export const dataTable = (
  label: string,
  header: readonly string[],
  rows: readonly (readonly (string | number | Html)[])[],
): Html => html`<div class="wide" tabindex="0" role="group" aria-label="${label}"><table>
<thead><tr>${header.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>\n`)}</tbody></table></div>`

/** @param names of the downloads of the page */
export const saveButtons = (names: readonly string[]): Html =>
  html`<p class="script-only">${names.map((name) => html`<button type="button" data-download="${name}">Save ${name}</button> `)}</p>
<noscript><p>Saving it from this page needs JavaScript.</p></noscript>`
