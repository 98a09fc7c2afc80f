import { expect, test } from 'vitest'
import { parseTargets } from '../../bench/own/targets-file.ts'

const problemsOf = (text: string): readonly string[] => {
  try {
    parseTargets(text, 'shop.targets.yaml')
    return []
  } catch (error) {
    return (error as Error).message.split('\n').filter((line) => line.startsWith('shop.targets.yaml'))
  }
}

test('targets are expressions of k6, one or several for a metric', () => {
  const { targets, judged, servers } = parseTargets(
    `targets:
  http_req_duration: [p(95)<300, "p(99.9) <= 800"]
  "http_reqs{name: login}": rate>=50
judged: { fromSeconds: 10, toSeconds: 70 }
servers:
  cpu: { query: "rate(process_cpu_seconds_total[10s])", unit: cores, limit: 2 }
`,
    'shop.targets.yaml',
  )
  expect(targets).toEqual([
    { metric: 'http_req_duration', aggregate: 'p(95)', comparison: '<', value: 300, from: 'targets' },
    { metric: 'http_req_duration', aggregate: 'p(99.9)', comparison: '<=', value: 800, from: 'targets' },
    { metric: 'http_reqs{name:login}', aggregate: 'rate', comparison: '>=', value: 50, from: 'targets' },
  ])
  expect(judged).toEqual({ fromSeconds: 10, toSeconds: 70 })
  expect(servers?.cpu?.limit).toBe(2)
})

test('every problem names its line, what is there and what may be', () => {
  expect(
    problemsOf(`name: Shop
targets:
  http_req_duration: p95<300
  http_reqs: rate>=50
judged:
  fromSeconds: 60
  toSeconds: -1
servers:
  cpu:
    querry: up
`),
  ).toEqual([
    'shop.targets.yaml:1: name is "Shop"; it must match pattern "^[a-z0-9][a-z0-9-]{0,60}$"',
    'shop.targets.yaml:7: judged.toSeconds is -1; it must be > 0',
    'shop.targets.yaml:9: servers.cpu has no "query"; add it',
    'shop.targets.yaml:10: servers.cpu has "querry", which is not known; there are query, unit, limit',
  ])
  expect(problemsOf('targets:\n  http_reqs: rate>=50\n  http_req_duration: p95<300\n')).toEqual([
    'shop.targets.yaml:3: the target of http_req_duration is "p95<300"; it may be as p(95)<300, avg<120, rate<0.01 or count>=1000, with <, <=, > or >=',
  ])
  expect(problemsOf('targets: {}\njudged: { fromSeconds: 60, toSeconds: 30 }\n')).toEqual([
    'shop.targets.yaml:2: the judged part ends at 30 s, and begins at 60 s; let it end later',
  ])
  expect(problemsOf('targets:\n  http reqs: rate>1\n')[0]).toContain(
    'shop.targets.yaml:2: "http reqs" is no metric of k6',
  )
  expect(problemsOf('targets:\n  http_reqs: [\n')[0]).toMatch(/^shop\.targets\.yaml: /)
})
