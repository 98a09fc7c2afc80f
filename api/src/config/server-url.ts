/** What is wrong with the address of a server, said so that it can be mended, and never with the address itself. */
import { readFileSync } from 'node:fs'

const ENCODE =
  'has a user or a password with characters that a URL cannot hold; percent-encode them: @ is %40, / is %2F, # is %23, ? is %3F, : is %3A, % is %25'

/** @returns undefined when nothing is */
export function urlProblem(given: string, protocols: readonly string[]): string | undefined {
  if (!protocols.some((protocol) => given.startsWith(`${protocol}//`))) {
    return `must be a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`
  }
  const url = URL.parse(given)
  if (url === null) return given.includes('@') ? ENCODE : 'has a host or a port that is none'
  // The @ after the password is further on, behind what ended the password too early.
  if (`${url.pathname}${url.hash}`.includes('@')) return ENCODE
  if (url.protocol.startsWith('redis') && !(decodes(url.username) && decodes(url.password))) return ENCODE
  return fileProblem(url)
}

function decodes(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function fileProblem({ searchParams }: URL): string | undefined {
  for (const name of ['sslrootcert', 'sslcert', 'sslkey']) {
    const file = searchParams.get(name)
    const problem = file === null ? undefined : pemProblem(file)
    if (problem !== undefined) return `has ${name}=${file}, which ${problem}`
  }
  return undefined
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist; mount it there, or correct the path',
  EACCES: 'may not be read; let the user of this process read it',
  EISDIR: 'is a directory; name the file in it',
}

/** Why a file cannot be a certificate or a key, or undefined when it can. */
export function pemProblem(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1').includes('-----BEGIN ') ? undefined : 'is not in PEM format; convert it'
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    return READ_ERRORS[code] ?? `cannot be read (${code})`
  }
}
