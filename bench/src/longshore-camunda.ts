/**
 * The other door: the connector to Camunda 8, for the program that measures it alone, so that the rest of the kit does not load it. With
 * its client, as instances are started by the same API.
 */
export { camundaWorker } from '../../src/connectors/camunda/index.ts';
export { checkedOptions } from '../../src/connectors/camunda/options.ts';
export { restOf } from '../../src/connectors/camunda/rest.ts';
export type { Rest } from '../../src/connectors/http/rest.ts';
