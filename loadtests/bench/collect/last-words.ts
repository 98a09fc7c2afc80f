const MOST_CHARACTERS = 300

/** The last thing k6 complained about, or what Go said when it crashed; crossed thresholds are the verdict's business. */
export function lastWords(log: string): string | undefined {
  const lines = log.split('\n')
  const crash = lines.find((line) => /^(fatal error|panic): /.test(line))
  const complaints = lines.filter((line) => /level=(error|fatal)/.test(line) && !line.includes('have been crossed'))
  const last = crash ?? complaints.at(-1)
  const [, message] = /msg="((?:[^"\\]|\\.)*)"/.exec(last ?? '') ?? []
  const words = (message ?? last)
    ?.replace(/\\[nt]/g, ' ')
    .replaceAll('\\"', '"')
    .replace(/\s+/g, ' ')
    .trim()
  return words === undefined || words.length <= MOST_CHARACTERS ? words : `${words.slice(0, MOST_CHARACTERS)}…`
}
