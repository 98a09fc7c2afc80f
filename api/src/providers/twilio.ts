import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { ROUTES } from '@hopwhistle/contract/routes.ts'
import { statusEvents } from './call-status.ts'
import { type Form, fieldsOf, type Provider } from './provider.ts'

const TOKEN_MAX = 256

/**
 * Status callbacks of calls, as https://www.twilio.com/docs/voice/api/call-resource#statuscallback describes them, signed as in
 * https://www.twilio.com/docs/usage/webhooks/webhooks-security: an HMAC of the URL and the sorted fields of the form, by the
 * auth token. Of a body that is JSON, the URL has the SHA-256.
 *
 * The signature has no time: who repeats a callback repeats its event ids, and changes nothing.
 */
export const twilio: Provider = {
  name: 'twilio',
  title: 'Twilio',
  route: ROUTES.eventsFromTwilio,
  secretProblem: (secret) =>
    /^[\x21-\x7e]+$/.test(secret) && secret.length <= TOKEN_MAX ? undefined : 'must be the auth token of the account',
  signatureProblem: ({ headers, urls, body, form }, secret) => {
    const given = headers['x-twilio-signature']
    if (typeof given !== 'string') return 'the header X-Twilio-Signature is missing'
    if (form === undefined && !urls.some((url) => announcedHash(url) === hash('sha256', body, 'hex')))
      return 'bodySHA256 in its URL is not the SHA-256 of its body'
    const fields = form === undefined ? '' : sortedFields(form)
    // A webhook rule may ask for another algorithm: https://www.twilio.com/docs/usage/webhooks/webhook-rules
    const settings = String(headers['x-twilio-webhooks-signature-settings'] ?? '')
    const algorithm = /\balgorithm=HMAC_SHA256\b/i.test(settings) ? 'sha256' : 'sha1'
    const isSigned = urls.some((url) =>
      isSame(
        given,
        createHmac(algorithm, secret)
          .update(url + fields)
          .digest('base64'),
      ),
    )
    return isSigned
      ? undefined
      : `X-Twilio-Signature does not fit the auth token, the body and an address at ${urls.map(originOf).join(' or ')}`
  },
  eventsOf: (callback, nowMs) => statusEvents('twilio', fieldsOf(callback), nowMs),
}

/** Names and values without anything in between, by name; the same value of the same name once. */
function sortedFields(form: Form): string {
  const sorted = form.toSorted((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
  return sorted
    .filter(([name, value], i) => sorted[i - 1]?.[0] !== name || sorted[i - 1]?.[1] !== value)
    .map(([name, value]) => name + value)
    .join('')
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

const announcedHash = (url: string) => URL.parse(url)?.searchParams.get('bodySHA256')?.toLowerCase()
const originOf = (url: string) => URL.parse(url)?.origin ?? 'no URL'
