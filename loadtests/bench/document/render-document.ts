/** The whole of docs/performance-baselines.md. */
import { BASELINE_SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { blocks } from '@hopwhistle/platform/document/markdown.ts'
import type { DocumentModel } from './model.ts'
import { environmentSection } from './sections/environment.ts'
import { executionSection } from './sections/execution.ts'
import { limitsSection } from './sections/limits.ts'
import { monitoringSection } from './sections/monitoring.ts'
import { nextStepsSection } from './sections/next-steps.ts'
import { otherEnvironmentsSection } from './sections/other-environments.ts'
import { overviewSection } from './sections/overview.ts'
import { quickStartSection } from './sections/quick-start.ts'
import { regressionSection } from './sections/regression.ts'
import { scalingSection } from './sections/scaling.ts'
import { scenarioSection } from './sections/scenario.ts'
import { troubleshootingSection } from './sections/troubleshooting.ts'

/** @returns Markdown; the same model, the same bytes */
export function renderDocument(model: DocumentModel): string {
  return `${blocks(
    overviewSection(model),
    environmentSection(model),
    '## Performance targets',
    ...BASELINE_SCENARIOS.map((scenario, i) => scenarioSection(model, scenario, i + 1)),
    otherEnvironmentsSection(model),
    limitsSection(model),
    executionSection(),
    monitoringSection(),
    scalingSection(model),
    regressionSection(),
    troubleshootingSection(),
    quickStartSection(),
    nextStepsSection(model),
  )}\n`
}
