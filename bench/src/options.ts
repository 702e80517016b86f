import { InvalidArgumentError } from 'commander';

/** A parser for whole numbers of at least `min`; the message names what was expected. */
export function whole(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text.replaceAll('_', ''));
    if (Number.isInteger(value) && value >= min && value <= max && text.trim() !== '') return value;
    const most = max === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${max}`;
    throw new InvalidArgumentError(`Expected a whole number of at least ${min}${most}.`);
  };
}

/** A parser for numbers, fractions too. */
export function between(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a number from ${min} to ${max}.`);
  };
}

/** A parser for whole numbers separated by commas. */
export function wholeList(min: number, max: number): (text: string) => number[] {
  return (text) => text.split(',').map((part) => whole(min, max)(part.trim()));
}

/** A parser for names out of a list, separated by commas. */
export function among<Name extends string>(names: readonly Name[]): (text: string) => Name[] {
  return (text) =>
    text.split(',').map((part) => {
      const name = names.find((one) => one === part.trim());
      if (name !== undefined) return name;
      throw new InvalidArgumentError(`Expected names out of ${names.join(', ')}, separated by commas.`);
    });
}
