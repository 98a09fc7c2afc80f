/**
 * Who may import whom. Imports run one way:
 *
 *   contract ← adapters (postgres, redis) ← capability (calls, providers, reporting, live, webhooks) ← app ← main
 *   contract ← client ← chaos, e2e
 *   contract ← platform ← loadtests, comparisons, chaos, dashboards, cdk8s, tooling, e2e
 *
 * TypeScript 7 has no compiler API for other tools, so the files are parsed by swc; type imports count too.
 */

const CAPABILITIES = ['calls', 'providers', 'reporting', 'live', 'webhooks']
const capability = (name) => `^api/src/${name}/`
const ANY_CAPABILITY = capability(`(${CAPABILITIES.join('|')})`)
const COMPOSITION = '^api/src/(main|compose|app)\\.ts$'

/** Folders from the lowest: each may import only those before it, and no file that stands next to these folders. */
const LAYERS = {
  platform: [
    'lib',
    'document',
    'command-line',
    'settings',
    'machine',
    'child',
    'checkout',
    'tools',
    'kubernetes',
    'stack',
    'test-support',
    'commands',
  ],
  'loadtests/bench': [
    'sample',
    'collect',
    'machine',
    'priority',
    'evidence',
    'findings',
    'judge',
    'document',
    'history',
    'run',
    'capacity',
    'cluster',
    'report',
    'own',
    'commands',
  ],
}

/** Folders from the lowest: each may import only those before it, and what all of them share: the files next to them. */
const FOLDERS = {
  'api/src': [
    'timing',
    'errors',
    'telemetry',
    'health',
    'access',
    'http',
    'postgres',
    'redis',
    'config',
    ...CAPABILITIES,
    'commands',
  ],
  comparisons: [
    'servers',
    'base',
    'platform',
    'reader',
    'generator',
    'measure',
    'document',
    'ingest',
    'event-cost',
    'idle',
    'reports',
    'live',
    'scale',
    'cost',
    'versions',
    'commands',
  ],
  chaos: ['lib', 'rig', 'load', 'fuzz', 'faults', 'overload', 'soak'],
  'dashboards/src': ['queries', 'alerts', 'panels', 'rules', 'boards', 'lint', 'pictures'],
  cdk8s: ['values', 'chart-values', 'constructs', 'charts'],
  'platform/document': ['chart', 'page'],
}

/** `above` is what else no folder may import, as a regular expression. */
const oneWay = (layers, above) =>
  Object.entries(layers).flatMap(([root, folders]) =>
    folders
      .map((folder, i) => ({
        name: `${root.replace('/src', '').split('/').at(-1)}-${folder}-imports-lower-folders`,
        comment: `The folders of ${root} import one way: ${folders.join(' ← ')}`,
        from: { path: `^${root}/${folder}/` },
        higher: [...folders.slice(i + 1).map((name) => `${name}/`), ...above],
        root,
      }))
      .filter(({ higher }) => higher.length > 0)
      .map(({ higher, root, ...rule }) => ({ ...rule, to: { path: `^${root}/(${higher.join('|')})` } })),
  )

/** Each is an error. */
const RULES = [
  {
    name: 'contract-imports-nothing',
    comment: 'k6 loads the contract as well, and has no Node modules: it may import only itself.',
    from: { path: '^contract/', pathNot: '^contract/test/' },
    to: { pathNot: '^contract/' },
  },
  {
    name: 'settings-follow-from-the-contract',
    comment: 'The settings of the servers are plain computations, which cdk8s runs as well as Node.',
    from: { path: '^platform/settings/' },
    to: { pathNot: '^(contract|platform/settings)/' },
  },
  {
    name: 'platform-knows-no-user',
    comment: 'Who runs servers imports platform, never the other way round.',
    from: { path: '^platform/', pathNot: '^platform/test/' },
    to: { path: '^(api|client|loadtests|comparisons|tooling|dashboards|cdk8s|e2e|chaos)/' },
  },
  {
    name: 'adapters-know-no-capability',
    comment:
      'An adapter opens a connection or runs a query for whoever asks; move what is about calls to its capability.',
    from: { path: '^api/src/(postgres|redis)/' },
    to: { path: ANY_CAPABILITY },
  },
  ...CAPABILITIES.map((name) => ({
    name: `${name}-stands-alone`,
    comment: `calls, providers, reporting, live and webhooks never import each other: compose.ts hands ${name} what it needs.`,
    from: { path: capability(name) },
    to: { path: capability(`(${CAPABILITIES.filter((other) => other !== name).join('|')})`) },
  })),
  {
    name: 'only-composition-knows-everyone',
    comment: 'Config, errors, telemetry, access, health and http serve the capabilities and know none of them.',
    from: { path: '^api/src/(config|errors|telemetry|access|health|http)/' },
    to: { path: ANY_CAPABILITY },
  },
  {
    name: 'nobody-imports-composition',
    comment: 'What composes is imported by what starts it, never by what it composes.',
    from: { path: '^api/src/', pathNot: [COMPOSITION, '^api/src/commands/'] },
    to: { path: COMPOSITION },
  },
  {
    name: 'main-and-commands-are-started',
    comment: 'They touch the process: start them, do not import them.',
    from: { pathNot: '^api/src/commands/' },
    to: { path: '^api/src/(main\\.ts$|commands/)' },
  },
  {
    name: 'api-stands-alone',
    comment: 'The service knows nothing of its load tests, nor of who starts its servers.',
    from: { path: '^api/src/' },
    to: { path: '^(client|platform|loadtests|comparisons|tooling|dashboards|cdk8s|e2e|chaos)/' },
  },
  {
    name: 'client-runs-in-browsers',
    comment: 'The client is installed by users, in browsers too: it has the contract, its own files and openapi-fetch.',
    from: { path: '^client/src/' },
    to: { pathNot: ['^(client/src|contract)/', '(^|/)node_modules/openapi-fetch/'] },
  },
  {
    name: 'scenarios-run-inside-k6',
    comment:
      'k6 resolves no Node modules: a scenario imports the contract, its own lib, the results format and what k6 has.',
    from: { path: '^loadtests/(scenarios/|results-format\\.ts$)' },
    to: {
      pathNot: [
        '^contract/',
        '^loadtests/(scenarios/|results-format\\.ts$)',
        '^k6(/|$)',
        '(^|/)node_modules/@types/k6/',
      ],
    },
  },
  {
    name: 'bench-measures-from-outside',
    comment: 'Load tests and comparisons reach the API through its network interface, as its users do.',
    from: { path: '^(loadtests|comparisons)/', pathNot: '^(loadtests|comparisons)/test/' },
    to: { path: '^api/' },
  },
  {
    name: 'test-runs-are-plain-objects',
    comment: 'A TestRun is the same for the command that applies it and for the chart: it knows neither.',
    from: { path: '^loadtests/kubernetes/' },
    to: { path: '^(loadtests/(bench|test)|comparisons|cdk8s|dashboards|e2e|tooling)/' },
  },
  {
    name: 'load-tests-are-nobodys-library',
    comment:
      'What others need as well belongs to platform or to contract. A chart takes TestRuns and scripts from ' +
      'loadtests/kubernetes, and nothing of what runs them.',
    from: { pathNot: '^loadtests/' },
    to: { path: '^loadtests/', pathNot: '^loadtests/kubernetes/' },
  },
  {
    name: 'only-charts-render-test-runs',
    from: { pathNot: '^(loadtests|cdk8s)/' },
    to: { path: '^loadtests/kubernetes/' },
  },
  {
    name: 'comparisons-stand-alone',
    comment: 'Chaos sends the same load with the same generator; a benchmark of k6 keeps its figure in the record.',
    from: { pathNot: '^(comparisons|loadtests/test)/' },
    to: { path: '^comparisons/', pathNot: '^comparisons/generator/' },
  },
  {
    name: 'only-chaos-shares-the-generator',
    from: { pathNot: '^(comparisons|chaos)/' },
    to: { path: '^comparisons/generator/' },
  },
  {
    name: 'statistics-are-pure',
    comment: 'They compute with log ratios of rounds; how these were measured is none of their business.',
    from: { path: '^comparisons/versions/statistics/' },
    to: { pathNot: '^comparisons/(versions/statistics/|arithmetic\\.ts$)' },
  },
  {
    name: 'change-points-are-pure',
    comment: 'They find changes in numbers; what was measured, and how, is none of their business.',
    from: { path: '^loadtests/bench/history/(change-points|precision)/' },
    to: { pathNot: '^(loadtests/bench/history/(change-points|precision)/|contract/|platform/(lib|document)/)' },
  },
  ...oneWay(LAYERS, ['[^/]+\\.ts$']),
  ...oneWay(FOLDERS, []),
  {
    name: 'nobody-imports-charts',
    comment: 'charts/ is written by cdk8s: import what it is written from.',
    from: {},
    to: { path: '^charts/' },
  },
  {
    name: 'no-test-code-in-programs',
    from: { pathNot: '(^|/)(tests?|test-support|e2e)/' },
    // A path outside of the checkout begins with ../ and has the names of anybody's folders in it.
    to: {
      path: '(^|/)(test|test-support)/|\\.test\\.ts$|^node_modules/(vitest|fast-check)/',
      pathNot: '^\\.\\./',
    },
  },
  {
    name: 'no-cycles',
    comment: 'Two files that import each other are one idea, or three.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'every-import-is-found',
    from: {},
    to: { couldNotResolve: true, pathNot: '^k6(/|$)' },
  },
  {
    name: 'every-package-is-declared',
    comment: 'Add it to the package.json of the workspace that imports it.',
    from: {
      path: '^(api/src|client/src|platform|comparisons|loadtests/(bench|kubernetes)|cdk8s/(values|constructs|charts)|dashboards/src)/',
      pathNot: '^(platform|comparisons)/test(-support)?/',
    },
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'], dependencyTypesNot: ['type-only'] },
  },
]

export default {
  forbidden: RULES.map((rule) => ({ severity: 'error', ...rule })),
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^((loadtests|comparisons)/results|client/dist)/' },
    combinedDependencies: false,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'node', 'default'] },
  },
}
