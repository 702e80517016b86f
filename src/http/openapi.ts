import type { TObject, TSchema } from 'typebox';
import { VERSION } from '../version.ts';
import type { Operation } from './operation.ts';
import { PROBLEM_MEDIA, Problem } from './problem.ts';

/** The OpenAPI 3.1 document. TypeBox schemas are JSON Schema, so what is shown is what checks. */
export function openApi(operations: readonly Operation[], base: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    const path = paths[operation.path] ?? {};
    path[operation.method.toLowerCase()] = operationObject(operation);
    paths[operation.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Longshore',
      version: VERSION,
      description:
        'Look at jobs, runs, schedules, queues and workers, and act on them. Times are milliseconds since the epoch.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: base }],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: { Problem },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'Not needed from the same machine where no tokens are set up.',
        },
      },
    },
  };
}

function operationObject({
  id,
  summary,
  role,
  path,
  params,
  query,
  headers,
  body,
  bodyOptional,
  answers,
}: Operation): object {
  const parameters = [
    ...parametersOf('path', params),
    ...parametersOf('query', query),
    ...parametersOf('header', headers),
  ];
  return {
    operationId: id,
    summary,
    tags: [path.split('/')[1]],
    ...(role === 'anyone' ? { security: [] } : { description: `Needs the role \`${role}\`.` }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === null ? {} : { requestBody: { required: !bodyOptional, content: contentOf(body) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { is, schema, media }]) => [
          status,
          {
            description: is,
            ...(schema === null && media === undefined ? {} : { content: contentOf(schema, media) }),
          },
        ]),
      ),
      default: {
        description: 'What went wrong, as a problem document (RFC 9457)',
        content: { [PROBLEM_MEDIA]: { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

function contentOf(schema: TSchema | null, media = 'application/json'): object {
  return { [media]: schema === null ? { schema: { type: 'string' } } : { schema } };
}

function parametersOf(place: 'path' | 'query' | 'header', schema: TObject): object[] {
  const { properties, required = [] } = schema as { properties: object; required?: readonly string[] };
  return Object.entries(properties as Record<string, TSchema & { type?: string; description?: string }>).map(
    ([name, schema]) => ({
      name,
      in: place,
      required: required.includes(name),
      ...(schema.description === undefined ? {} : { description: schema.description }),
      ...(schema.type === 'array' ? { style: 'form', explode: false } : {}),
      schema,
    }),
  );
}
