import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openTerminal } from '../../platform/command-line/terminal.ts'
import { findGitleaks } from '../../platform/tools/find-gitleaks.ts'
import { leaksIn } from '../leaks.ts'
import { CHECKOUT } from './run.ts'
import { scratchFolder } from './scratch-folder.ts'

/** Put together here, so that this file has none of it; random, as gitleaks takes nothing else for a secret. */
const LEAKS = {
  'key.pem': [
    `-----BEGIN RSA ${'PRIVATE'} KEY-----\n${'MIIEowIBAAKCAQEAx3Qk9d8fj2kLmN0pQrStUvWxYz1234567890ab'.repeat(2)}\n-----END RSA ${'PRIVATE'} KEY-----`,
    'private-key',
  ],
  'notes.md': [`AKIA${'QYLPMN5HHHFPZAM2'}`, 'aws-access-token'],
  'ci.yml': [`token: ghp_${'a8Kd93mZpQ0vX7sLw2RtYb6NcJ4hGfE1uV5o'}`, 'github-pat'],
  'slack.ts': [`const t = 'xoxb-${'173649201847'}-${'173649201848'}-${'aB3dE5fG7hJ9kL1mN3pQ5rS7'}'`, 'slack-bot-token'],
  'google.ts': [`AIza${'SyD8k3LmQ9xZ0pR7vW2tYb6NcJ4hGfE1uV5'}`, 'gcp-api-key'],
  'x.json': [
    `eyJ${'hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9'}.eyJ${'zdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4ifQ'}.${'SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c'}`,
    'jwt',
  ],
  '.npmrc': [`_auth${'Token'}=abc`, 'package-registry-credential'],
  'api/.npmrc': [`regis${'try'}=https://packages.example`, 'package-registry-setting'],
  'package-lock.json': [`"resol${'ved'}": "https://packages.example/a.tgz"`, 'package-registry-name'],
  '.ci/run': [`curl https://regis${'try'}.npmjs.org/k6`, 'package-registry-name'],
  'home.ts': [`const dir = '/ho${'me'}/ada/hopwhistle'`, 'path-of-one-machine'],
  'users.md': [`see /Us${'ers'}/ada/hopwhistle`, 'path-of-one-machine'],
} as const

const HARMLESS = {
  'api/package-lock.json': '"resolved": "api", "link": true',
  'url.ts': "const url = 'postgres://localhost/hopwhistle'",
  'README.md': "a path such as /var/lib/postgresql or /root is fine, and so is curl -H 'x-api-key: test-api-key'",
  'x.yaml': 'hostPath: /home',
}

test('every kind of secret, registry and path of one machine is found, by line, and nothing else', async () => {
  const gitleaks = await findGitleaks(openTerminal())
  const leaking = Object.fromEntries(Object.entries(LEAKS).map(([file, [text]]) => [file, `harmless\n${text}\n`]))
  const found = leaksIn(scratchFolder({ ...leaking, ...HARMLESS }), gitleaks, join(CHECKOUT, '.gitleaks.toml'))
  const byFile = Object.fromEntries(found.map(({ file, line, what }) => [file, `${line} ${what.split(':')[0]}`]))
  expect(byFile).toEqual(Object.fromEntries(Object.entries(LEAKS).map(([file, [, rule]]) => [file, `2 ${rule}`])))
  expect(found).toHaveLength(Object.keys(LEAKS).length)
}, 600_000)
