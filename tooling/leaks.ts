export type Leak = { readonly file: string; readonly line: number; readonly what: string }

type Rule = { readonly what: string; readonly pattern: RegExp; readonly onlyIn?: RegExp }

const RULES: readonly Rule[] = [
  { what: 'is a private key', pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/ },
  { what: 'looks like an AWS access key', pattern: /\b(AKIA|ASIA)[0-9A-Z]{16}\b/ },
  { what: 'looks like a GitHub token', pattern: /\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40})/ },
  { what: 'looks like a Slack token', pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{10}/ },
  { what: 'looks like a Google API key', pattern: /\bAIza[0-9A-Za-z_-]{35}\b/ },
  { what: 'looks like a JSON web token', pattern: /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\./ },
  { what: 'is a credential of a package registry', pattern: /_(authToken|auth|password)\s*=\s*\S/ },
  {
    what: 'sets a package registry: each developer has one of their own',
    pattern: /(^|[\s@:])registry\s*[=:]\s*["']?https?:/,
  },
  {
    what: 'names a package registry: npm resolves without it',
    pattern: /"resolved":\s*"[a-z+]+:|\bregistry\.(npmjs\.org|yarnpkg\.com)\b/,
    onlyIn:
      /(^|\/)(package-lock\.json|pnpm-lock\.yaml|yarn\.lock|\.npmrc|\.yarnrc.*)$|\.(sh|ts|mjs|json|ya?ml)$|^\.ci\//,
  },
  {
    what: "is a path on one developer's disk",
    pattern:
      /(^|[\s"'`(=:])(\/home\/[a-z][\w.-]*\/|\/Users\/[A-Za-z][\w.-]*\/|\/root\/[\w.]|[A-Z]:\\Users\\|\/work\/\w|\/tmp\/w\/)/,
  },
]

/** What must not be committed in this text, by line. The text itself is not repeated. */
export function leaksIn(file: string, text: string): readonly Leak[] {
  const rules = RULES.filter(({ onlyIn }) => onlyIn === undefined || onlyIn.test(file))
  return text
    .split('\n')
    .flatMap((content, i) =>
      rules.filter(({ pattern }) => pattern.test(content)).map(({ what }) => ({ file, line: i + 1, what })),
    )
}
