/**
 * Which addresses a webhook may be sent to: public ones, and networks that a setting names. A URL of a tenant must reach
 * nothing inside the platform's own network (server-side request forgery).
 *
 * A host name is resolved here, every address that it has is checked, and the connection goes to an address that was checked: a
 * name that answers differently a moment later gains nothing.
 */
import { Resolver } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { networkList } from '../config/networks.ts'

/** The address is not one that may be called. Its message is for the tenant. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
}

export type AddressSettings = {
  /** CIDR. Called although they are not public. */
  readonly webhookAllowedNetworks: readonly string[]
  /** CIDR. Not called although they are public. */
  readonly webhookDeniedNetworks: readonly string[]
  readonly webhookAllowHttp: boolean
}

export type Addresses = {
  /** @returns why a webhook may not have this URL, as far as it can be told without asking DNS */
  problemWith(url: string): string | undefined
  /** Resolves the host of a connection. Fails with `AddressRefused`. */
  readonly lookup: LookupFunction
}

/** Everything in IPv4 that is not a public host: IANA's special-purpose registry, multicast, and what is reserved. */
const NOT_PUBLIC_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
/** Of IPv6, only global unicast is public; these are special within it: Teredo and others, documentation, and 6to4. */
const GLOBAL_UNICAST_6 = ['2000::/3']
const NOT_PUBLIC_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20']

/** Addresses of IPv6 that lead to one of IPv4: mapped ones, and those of NAT64. */
const LEADS_TO_4 = networkList(['::ffff:0:0/96', '64:ff9b::/96'])

const URL_MAX = 2_048
const DNS = { timeout: 2_000, tries: 2 } as const

/** @param resolve the addresses of a name, tests may have their own */
export function createAddresses(settings: AddressSettings, resolve = resolveAll): Addresses {
  const allowed = networkList(settings.webhookAllowedNetworks)
  const refused = networkList([...settings.webhookDeniedNetworks, ...NOT_PUBLIC_4, ...NOT_PUBLIC_6])
  const denied = networkList(settings.webhookDeniedNetworks)
  const global6 = networkList(GLOBAL_UNICAST_6)

  function mayCall(address: string): boolean {
    const ip = ipv4In(address) ?? address
    const family = isIP(ip) === 6 ? 'ipv6' : 'ipv4'
    if (isIP(ip) === 0 || denied.check(ip, family)) return false
    if (allowed.check(ip, family)) return true
    return !refused.check(ip, family) && (family === 'ipv4' || global6.check(ip, family))
  }

  async function checked(hostname: string): Promise<readonly string[]> {
    const addresses = isIP(hostname) === 0 ? await resolve(hostname) : [hostname]
    if (addresses.length === 0) throw new AddressRefused('its host name has no address')
    if (!addresses.every(mayCall)) throw new AddressRefused('its host is not on the public Internet')
    return addresses
  }

  return {
    problemWith: (given) => {
      if (given.length > URL_MAX) return `is longer than ${URL_MAX} characters`
      if (!URL.canParse(given)) return 'must be a URL'
      const url = new URL(given)
      if (url.protocol !== 'https:' && !(url.protocol === 'http:' && settings.webhookAllowHttp)) {
        return `must begin with https://${settings.webhookAllowHttp ? ' or http://' : ''}`
      }
      if (url.username !== '' || url.password !== '') return 'must have no user and no password'
      if (url.hash !== '') return 'must have no fragment'
      const literal = hostOf(url)
      return isIP(literal) === 0 || mayCall(literal) ? undefined : 'must lead to the public Internet'
    },
    lookup: (hostname, options, done) => {
      checked(hostname).then(
        (addresses) => {
          const all = addresses.map((address) => ({ address, family: isIP(address) }))
          if (options.all === true) done(null, all)
          else done(null, all[0]?.address ?? '', all[0]?.family)
        },
        (error: Error) => done(error, ''),
      )
    },
  }
}

/** As a connection takes it: an address of IPv6 without its brackets. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1')

/** The address of IPv4 that one of IPv6 leads to, if it leads to one. */
function ipv4In(address: string): string | undefined {
  if (isIP(address) !== 6 || !LEADS_TO_4.check(address, 'ipv6')) return undefined
  // The URL parser writes every address in one form, the last 32 bits as two groups of hexadecimal digits.
  const groups = hostOf(new URL(`http://[${address}]`)).split(':')
  const [high = 0, low = 0] = groups.slice(-2).map((group) => Number.parseInt(group || '0', 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/**
 * Asks the name servers, and not the operating system: that one reads /etc/hosts, adds search domains, and looks names up in
 * four threads, which the slow name server of one tenant would fill.
 */
async function resolveAll(hostname: string): Promise<readonly string[]> {
  const resolver = new Resolver(DNS)
  const found = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
  return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
}
