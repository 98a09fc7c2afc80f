// The service is slow while it warms up; how long that is, the test says.
import http from 'k6/http'
import { Trend } from '../../../scenarios/own/mergeable-trend.ts'

const half = new Trend('half_duration', true)

export const options = {
  scenarios: { all: { executor: 'constant-arrival-rate', rate: 20, duration: '6s', preAllocatedVUs: 60 } },
}

// No part of the load.
export const setup = () => void http.get(`${__ENV.BASE_URL}/fast`)

export default function (): void {
  const { timings } = http.get(`${__ENV.BASE_URL}/warming-up`)
  half.add(timings.duration / 2)
}
