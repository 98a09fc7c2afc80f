import { DEMO_API_KEY, DEMO_TENANT_ID } from '@hopwhistle/contract/demo.ts'
import { DEFAULT_PORT } from '@hopwhistle/contract/routes.ts'
import { BASELINE_SCENARIOS, SCENARIOS } from '@hopwhistle/contract/scenarios.ts'
import { blocks, bullets, code, indented } from '@hopwhistle/platform/document/markdown.ts'

const API = `http://localhost:${DEFAULT_PORT}`

export function executionSection(): string {
  const { publishers, ratePerSecond } = SCENARIOS['redis-pubsub'].targets.messages
  return blocks(
    '## Load test execution',
    '`make baseline` does all of the following by itself, in an order that disturbs no measurement. By hand:',
    '### Prerequisites',
    '1. Start the services. Without Docker, and with the demo data loaded:',
    indented(code('bash', 'make up', 'make status')),
    '   Or in containers:',
    indented(code('bash', 'docker compose up --detach')),
    '2. This also loads the demo data. For a database of your own:',
    indented(code('bash', 'npm run db:migrate', 'npm run db:seed:demo')),
    '3. Install k6: `make install` builds it when it is missing; [loadtests/README.md](../loadtests/README.md) has the other ways.',
    '### Running the tests',
    '**Option 1: one by one**',
    code(
      'bash',
      'cd loadtests/scenarios',
      '',
      '# Call state updates',
      `k6 run --env API_URL=${API} --env API_KEY=${DEMO_API_KEY} call-state-updates.ts`,
      '',
      '# Reporting endpoints',
      `k6 run --env API_URL=${API} --env API_KEY=${DEMO_API_KEY} \\`,
      `  --env TENANT_ID=${DEMO_TENANT_ID} reporting-endpoints.ts`,
      '',
      '# Redis pub/sub',
      `k6 run --env WS_URL=${API.replace('http', 'ws')} --env API_URL=${API} --env API_KEY=${DEMO_API_KEY} \\`,
      `  --env TENANT_ID=${DEMO_TENANT_ID} \\`,
      `  --env PUBLISHER_VUS=${publishers} --env MESSAGES_PER_SECOND=${ratePerSecond} redis-pubsub.ts`,
    ),
    '`--env PROFILE=full|quick|smoke` chooses how long; `quick` is the default.',
    '**Option 2: all of them, with a shell**',
    code('bash', 'loadtests/run-all.sh'),
    '**Option 3: all of them, with PowerShell**',
    code('powershell', 'loadtests/run-all.ps1'),
    '**Option 4: npm scripts**, which also watch the servers and judge (`pnpm` does as well)',
    code(
      'bash',
      'npm run test:perf:call-state',
      'npm run test:perf:reporting',
      'npm run test:perf:pubsub',
      'npm run test:perf            # all three',
    ),
    'Exit codes: 0 every target is met by valid evidence, 1 a target is missed, 2 the run is invalid or could not be made. ' +
      '`make baseline` ends with 2 only when no smaller rate gave valid evidence either.',
    '### Collecting results',
    'Each scenario leaves its result here, in the format of [`results.schema.json`](../loadtests/results.schema.json):',
    bullets(BASELINE_SCENARIOS.map((scenario) => `\`loadtests/results/${scenario}.json\``)),
    '`make baseline` also keeps what this document needs in `loadtests/baselines/`, one file for each environment, and ' +
      'writes the document. An invalid run does not replace a valid one there: it is only mentioned. `make document` ' +
      'writes the document again from those files, without measuring.',
  )
}
