import { blocks, bullets, code } from '@hopwhistle/platform/document/markdown.ts'

export function regressionSection(): string {
  return blocks(
    '## Regression testing',
    '[`.github/workflows/performance.yml`](../.github/workflows/performance.yml) measures every day at 02:00 UTC, and on demand:',
    code('bash', 'gh workflow run performance.yml --field profile=quick'),
    bullets([
      'It runs `make baseline` on a fresh machine, with profile `full` by default.',
      'It fails when a target is missed, and when a run is invalid: a run on a machine that is too busy does not pass.',
      'It keeps the history of its runs from day to day. The job summary says what changed, between which commits; ' +
        '[history.md](history.md) says how.',
      'It writes the table of targets to the job summary, and uploads the results, the history, this document and its charts.',
    ]),
    'On a pull request, `make test` makes a `smoke` run of the whole job and checks that a verdict is reached and its ' +
      'evidence adds up. It does not check the speed.',
    'To see what a change did, measure before and after on the same machine and compare the two baselines:',
    code('bash', 'make baseline', 'git diff loadtests/baselines docs/performance-baselines.md'),
  )
}
