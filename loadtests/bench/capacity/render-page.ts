import { renderSvg } from '@hopwhistle/platform/document/chart/render-svg.ts'
import { Html, html } from '@hopwhistle/platform/document/page/html.ts'
import { markdown } from '@hopwhistle/platform/document/page/markdown.ts'
import { renderPage } from '@hopwhistle/platform/document/page/render-page.ts'
import { capacityChart } from './capacity-chart.ts'
import type { CapacityResult } from './capacity-result.ts'
import { renderDocument } from './render-text.ts'

/** One measurement as a page that needs no network, with its data to save. */
export function renderCapacityPage(result: CapacityResult): string {
  const picture = capacityChart(result)
  return renderPage({
    title: `Capacity of ${result.environment.name}`,
    charts: [],
    downloads: { 'capacity.json': `${JSON.stringify(result)}\n` },
    body: html`<main>
${markdown(renderDocument([result]))}
${picture === undefined ? '' : html`<figure>${new Html(renderSvg(picture))}</figure>`}
<p class="script-only"><button type="button" data-download="capacity.json">Save capacity.json</button></p>
</main>
`,
  })
}
