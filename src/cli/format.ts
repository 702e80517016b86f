import type { styleText } from 'node:util';

/** A colour or style of node:util's styleText. */
export type Format = Parameters<typeof styleText>[0];

/** Styles text where the stream it goes to shows styles, and leaves it alone elsewhere. */
export type Paint = (format: Format, text: string) => string;
