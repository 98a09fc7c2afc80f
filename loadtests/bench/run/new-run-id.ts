/** `20261124-031502-4f1a`: sorts by time, and no two runs share one. */
export function newRunId(): string {
  const [date = '', time = ''] = new Date().toISOString().split(/[T.]/)
  const random = Math.floor(Math.random() * 0x10000)
    .toString(16)
    .padStart(4, '0')
  return `${date.replaceAll('-', '')}-${time.replaceAll(':', '')}-${random}`
}
