import { KitDocument } from './document.ts';

/** The text of bench/result.schema.json. */
export function schemaText(): string {
  return `${JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...KitDocument }, null, 2)}\n`;
}
