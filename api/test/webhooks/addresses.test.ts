import type { LookupAddress } from 'node:dns'
import { expect, test } from 'vitest'
import { type AddressSettings, createAddresses } from '../../src/webhooks/addresses.ts'

const USUAL: AddressSettings = { webhookAllowedNetworks: [], webhookDeniedNetworks: [], webhookAllowHttp: false }

/** What a connection to the host would be given: its addresses, or why not. */
function lookUp(host: string, addresses: readonly string[], given: Partial<AddressSettings> = {}) {
  const { lookup } = createAddresses({ ...USUAL, ...given }, async () => addresses)
  return new Promise<string>((resolve) =>
    lookup(host, { all: true }, (error, found) =>
      resolve(error === null ? (found as LookupAddress[]).map(({ address }) => address).join() : error.message),
    ),
  )
}

const PUBLIC = [
  '8.8.8.8',
  '93.184.216.34',
  '172.32.0.1',
  '100.128.0.1',
  '2606:2800:220:1::1',
  '::ffff:8.8.8.8',
  '64:ff9b::808:808',
]
const INSIDE = [
  ['this host', '0.0.0.0'],
  ['private', '10.0.0.1'],
  ['private', '172.16.0.1'],
  ['private', '172.31.255.255'],
  ['private', '192.168.1.1'],
  ['of a carrier', '100.64.0.1'],
  ['loopback', '127.0.0.1'],
  ['loopback', '127.255.255.254'],
  ['link-local, with the metadata of clouds', '169.254.169.254'],
  ['protocol assignments', '192.0.0.170'],
  ['documentation', '203.0.113.7'],
  ['benchmarks', '198.18.0.1'],
  ['multicast', '224.0.0.1'],
  ['reserved', '240.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['unspecified', '::'],
  ['loopback', '::1'],
  ['unique local', 'fd12:3456::1'],
  ['link-local', 'fe80::1'],
  ['site-local', 'fec0::1'],
  ['multicast', 'ff02::1'],
  ['documentation', '2001:db8::1'],
  ['Teredo', '2001:0:1::1'],
  ['6to4 of 10.0.0.1', '2002:a00:1::1'],
  ['mapped loopback', '::ffff:127.0.0.1'],
  ['mapped loopback, in hexadecimal', '::ffff:7f00:1'],
  ['mapped metadata', '::ffff:169.254.169.254'],
  ['compatible with 127.0.0.1', '::127.0.0.1'],
  ['NAT64 of 10.0.0.1', '64:ff9b::a00:1'],
  ['NAT64 of 127.0.0.1', '64:ff9b::7f00:1'],
  ['NAT64 for local use', '64:ff9b:1::808:808'],
] as const

test.each(PUBLIC)('%s is public', async (address) => {
  expect(await lookUp('a.example', [address])).toBe(address)
})

test.each(INSIDE)('%s: %s is not called, whether a name has it or the URL', async (_what, address) => {
  expect(await lookUp('a.example', [address])).toMatch(/not on the public Internet/)
  expect(await lookUp('a.example', ['8.8.8.8', address]), 'one of several').toMatch(/not on the public Internet/)
  expect(await lookUp(address, []), 'a literal').toMatch(/not on the public Internet/)
  const literal = address.includes(':') ? `[${address}]` : address
  expect(createAddresses(USUAL).problemWith(`https://${literal}/x`)).toMatch(/public Internet/)
})

test.each([
  'https://2130706433/',
  'https://0x7f.1/',
  'https://0177.0.0.1/',
  'https://127.1/',
  'https://[::ffff:7f00:1]/',
])('%s is loopback in another notation', (url) => {
  expect(createAddresses(USUAL).problemWith(url)).toMatch(/public Internet/)
})

test('a name without an address is not called', async () => {
  expect(await lookUp('a.example', [])).toMatch(/no address/)
})

test('a network that is allowed is called, also mapped; one that is denied is not, even if it is public or allowed', async () => {
  const given = {
    webhookAllowedNetworks: ['10.1.0.0/16', 'fd00::/8'],
    webhookDeniedNetworks: ['8.8.0.0/16', '10.1.2.0/24'],
  }
  for (const address of ['10.1.0.1', '::ffff:10.1.0.1', 'fd00::1']) {
    expect(await lookUp('a.example', [address], given)).toBe(address)
  }
  for (const address of ['10.2.0.1', '8.8.8.8', '::ffff:8.8.8.8', '10.1.2.3']) {
    expect(await lookUp('a.example', [address], given)).toMatch(/not on the public Internet/)
  }
})

test.each([
  ['http://a.example/', /https:\/\//],
  ['ftp://a.example/', /https:\/\//],
  ['file:///etc/passwd', /https:\/\//],
  ['a.example', /must be a URL/],
  ['https://user:secret@a.example/', /no user/],
  ['https://a.example/#x', /no fragment/],
  [`https://a.example/${'x'.repeat(2_048)}`, /longer/],
])('%s is refused', (url, why) => {
  expect(createAddresses(USUAL).problemWith(url)).toMatch(why)
})

test('http is allowed by setting', () => {
  expect(createAddresses({ ...USUAL, webhookAllowHttp: true }).problemWith('http://a.example/')).toBeUndefined()
  expect(createAddresses(USUAL).problemWith('https://a.example/hook?a=b')).toBeUndefined()
})
