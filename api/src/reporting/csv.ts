/**
 * CSV as RFC 4180 has it: a comma between fields, CR LF after each line, quotes where they are needed; no mark of the byte order.
 *
 * Written here because it is this little: a general writer, such as csv-stringify, looks at every value of every line to find out
 * what it is, and cannot let telephone numbers be.
 */

/** What a spreadsheet takes for the beginning of a formula; also in the wide forms of East Asian input, which some convert. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/
/** A number with its country, and nothing else: a spreadsheet may show it without the +, and computes nothing. */
const PHONE_NUMBER = /^\+\d+$/
const QUOTED = /[",;\r\n\t]/

/**
 * A text that somebody else chose, defused: what begins as a formula does gets a ' in front, which makes it a text to
 * spreadsheets. So does what begins with ', so that a program gets the text back by taking one ' away. Telephone numbers stay.
 */
export function csvText(text: string | null): string {
  if (text === null) return ''
  const isHarmless = PHONE_NUMBER.test(text) || !(FORMULA.test(text) || text.startsWith("'"))
  return csvField(isHarmless ? text : `'${text}`)
}

/** A text of ours. */
export function csvField(text: string | null): string {
  if (text === null) return ''
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export const csvLine = (fields: readonly string[]): string => `${fields.join(',')}\r\n`
