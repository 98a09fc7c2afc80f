// As anybody would write it: nothing in it knows of bench.
import { check, group } from 'k6'
import http from 'k6/http'
import { Counter } from 'k6/metrics'

const orders = new Counter('orders')
const text = open('./data.txt')

export const options = {
  scenarios: {
    buy: { executor: 'constant-arrival-rate', rate: 20, duration: '5s', preAllocatedVUs: 50, exec: 'buy' },
    look: { executor: 'per-vu-iterations', vus: 2, iterations: 20, exec: 'look' },
  },
  thresholds: { http_req_failed: ['rate<0.5'], 'http_req_duration{name:fast}': ['p(95)<10000'] },
}

export const setup = () => ({ base: __ENV.BASE_URL, text })

export function buy({ base, text }) {
  group('buy', () => {
    const answer = http.post(`${base}/slow`, text, { tags: { name: 'slow' } })
    check(answer, { 'is 200': ({ status }) => status === 200 })
    orders.add(1)
  })
}

export function look({ base }) {
  http.batch([
    ['GET', `${base}/fast`, null, { tags: { name: 'fast' } }],
    ['GET', `${base}/fail`, null, { tags: { name: 'fail' } }],
  ])
}

export function teardown({ text }) {
  console.log(`torn down with ${text}`)
}
