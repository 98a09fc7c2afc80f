/** The printed result: whether it held, its figures, and each broken promise. */
export function resultLine(title: string, figures: string, problems: readonly string[]): string {
  return `  ${problems.length === 0 ? '✓' : '✗'} ${title}: ${figures}${problems.map((one) => `\n      ${one}`).join('')}\n`
}
