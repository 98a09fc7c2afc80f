import { expect, test } from 'vitest'
import { CHARTS } from '../../charts/charts.ts'
import { chartFolder, helm, NEEDS_HELM, runHelm } from '../support/helm.ts'

test.skipIf(helm === undefined).each(CHARTS.map((chart) => [chart.name, chart] as const))(
  `%s is the same each time that it is rendered${NEEDS_HELM}`,
  async (_, chart) => {
    const render = () => runHelm(['template', 'mine', chartFolder(chart), '--namespace', 'here'])
    expect(await render()).toBe(await render())
  },
)
