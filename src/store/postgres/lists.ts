/**
 * Lists of values as parameters of a statement, in the forms that cost both sides least. Numbers and ids are array
 * literals. Texts are one text, divided by a control character, for `string_to_array`: nothing is escaped.
 */
export const DIVIDER = '\u001f';
export const NULL = '\u001e';

/** Of numbers, ids and nulls alone: nothing is quoted. */
export function arrayOf(values: readonly (number | string | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join()}}`;
}

/** To be used for texts that are all divisible. */
export function textsOf(texts: readonly (string | null)[]): string {
  return texts.map((text) => text ?? NULL).join(DIVIDER);
}

/** Whether a text can stand in such a list. */
export function isDivisible(text: string | null): boolean {
  return text === null || !INDIVISIBLE.test(text);
}

/** What is empty would make a list of one text a list of none. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these divide.
const INDIVISIBLE = /^$|[\u001e\u001f]/;

/** Half of a pair of surrogates is no text: the database refuses it in JSON, where bytes would make it U+FFFD. */
export function jsonOf(value: object): string {
  const json = JSON.stringify(value);
  return LONE_SURROGATE.test(json) ? json.replace(LONE_SURROGATE, '\ufffd') : json;
}

/** As JSON.stringify escapes it; a backslash of the text itself stands there twice. */
const LONE_SURROGATE = /(?<=(?<!\\)(?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;
