import { number } from '@hopwhistle/platform/document/figures.ts'
import { invalid, type Rule } from '../../evidence/evidence.ts'

/** The generator sent at least the rate that the target asks for, whatever became of what it sent. */
export const offeredRate: Rule = {
  name: 'offered-rate',
  check({ peak, peakSeconds, targetPerSecond, result }) {
    const [runner] = result.runners
    if (runner === undefined || peakSeconds <= 0 || peak.sent === 0) return []
    const sent = peak.sent / peakSeconds
    if (sent >= targetPerSecond) return []
    return [
      invalid(
        `generator: ${number(sent, 1)} a second were sent during the peak; ` +
          `${number(runner.settings.offeredPerSecond)} were to be offered and the target needs ${number(targetPerSecond)}`,
      ),
    ]
  },
}
