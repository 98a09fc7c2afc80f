import { expect, test } from 'vitest'
import { leaksIn } from '../leaks.ts'

/** Put together here, so that this file has none of it. */
const LEAKS = [
  ['key.pem', `-----BEGIN RSA ${'PRIVATE'} KEY-----`, 'is a private key'],
  ['notes.md', `AKIA${'Q'.repeat(16)}`, 'looks like an AWS access key'],
  ['ci.yml', `token: ghp_${'a'.repeat(36)}`, 'looks like a GitHub token'],
  ['x.ts', `const t = 'xoxb-${'1'.repeat(12)}'`, 'looks like a Slack token'],
  ['x.ts', `AIza${'b'.repeat(35)}`, 'looks like a Google API key'],
  ['x.json', `eyJ${'a'.repeat(12)}.eyJ${'b'.repeat(12)}.c`, 'looks like a JSON web token'],
  ['.npmrc', `_auth${'Token'}=abc`, 'is a credential of a package registry'],
  ['.npmrc', `regis${'try'}=https://packages.example`, 'sets a package registry: each developer has one of their own'],
  [
    'package-lock.json',
    `"resol${'ved'}": "https://packages.example/a.tgz"`,
    'names a package registry: npm resolves without it',
  ],
  ['.ci/run', `curl https://regis${'try'}.npmjs.org/k6`, 'names a package registry: npm resolves without it'],
  ['x.ts', `const dir = '/ho${'me'}/ada/hopwhistle'`, "is a path on one developer's disk"],
  ['x.md', `see /Us${'ers'}/ada/hopwhistle`, "is a path on one developer's disk"],
] as const

test.each(LEAKS)('in %s, %j is found', (file, text, what) => {
  expect(leaksIn(file, `harmless\n${text}\n`)).toEqual([{ file, line: 2, what }])
})

test.each([
  ['package-lock.json', '"resolved": "api", "link": true'],
  ['x.ts', "const url = 'postgres://localhost/hopwhistle'"],
  ['README.md', 'a path such as /var/lib/postgresql or /root is fine'],
  ['x.yaml', 'hostPath: /home'],
])('in %s, %j is harmless', (file, text) => {
  expect(leaksIn(file, text)).toEqual([])
})
