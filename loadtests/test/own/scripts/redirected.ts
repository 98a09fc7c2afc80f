// k6 follows the redirects by itself: of the two requests of each call, the script sees the second.
import { get } from 'k6/http'

export const options = { vus: 2, iterations: 40 }

export default function () {
  get(`${__ENV.BASE_URL}/redirect`)
}
