/**
 * The one door to what is measured: the public names of Longshore, from the sources of this checkout. Everything of the kit
 * imports them from here, so what is measured is what a user's program gets.
 */
export * from '../../src/index.ts';
