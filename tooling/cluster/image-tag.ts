import { createHash } from 'node:crypto'
import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A tag that names what an image is built from: 12 hexadecimal digits of a hash over its Dockerfile and every file that
 * `.dockerignore` lets in. The same content is the same tag, so that deploying twice changes nothing; other content
 * is another one, so that pods are replaced.
 *
 * @param checkout the folder that is the build's context
 */
export function imageTag(checkout: string, dockerfile: string): string {
  const hash = createHash('sha256')
  for (const file of [dockerfile, ...filesLetIn(checkout)]) {
    const content = readFileSync(join(checkout, file))
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex').slice(0, 12)
}

/** `.dockerignore` here leaves out everything and lets in what begins with `!`: paths and globs, folders as a whole. */
function filesLetIn(checkout: string): readonly string[] {
  const rules = readFileSync(join(checkout, '.dockerignore'), 'utf8').split('\n')
  const letIn = rules
    .filter((rule) => rule.startsWith('!'))
    .flatMap((rule) => globSync(rule.slice(1), { cwd: checkout }))
  return letIn
    .flatMap((path) => (isFile(join(checkout, path)) ? [path] : globSync(`${path}/**`, { cwd: checkout })))
    .filter((path) => isFile(join(checkout, path)))
    .sort()
}

const isFile = (path: string) => statSync(path).isFile()
