import { blocks, code, indented } from '@hopwhistle/platform/document/markdown.ts'

export function quickStartSection(): string {
  return blocks(
    '## Quick start',
    'Everything at once, from a fresh clone to this document:',
    code(
      'bash',
      'make baseline                 # quick: all peaks, about 4 minutes of load',
      'make baseline PROFILE=full    # full: as long as the targets ask',
    ),
    'Or step by step:',
    '1. Install k6 and the rest: `make install` (macOS: `brew install k6` works, too; Windows and Linux packages: [loadtests/README.md](../loadtests/README.md)).',
    '2. Start the services, with the demo data: `make up`, or `docker compose up --detach`.',
    '3. Run a test:',
    indented(code('bash', 'cd loadtests/scenarios', 'k6 run --env PROFILE=smoke call-state-updates.ts')),
    '4. Stop them: `make down`.',
  )
}
