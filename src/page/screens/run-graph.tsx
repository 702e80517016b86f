import { Graph, layout } from '@dagrejs/dagre';
import { useMemo } from 'preact/hooks';
import type { Run, Step } from '../data.ts';
import { State } from '../parts.tsx';
import { go, to } from '../route.ts';
import { count } from '../words.ts';

/** The graph of a run. Steps are buttons over lines; a fan-out is one of them with its counts, however many items it has. */
const WIDTH = 176;
/** Two fit on a phone. */
const NARROW = 138;
const HEIGHT = 62;

interface Drawn {
  readonly width: number;
  readonly height: number;
  readonly places: ReadonlyMap<string, { readonly x: number; readonly y: number }>;
  readonly lines: readonly { readonly key: string; readonly points: string; readonly from: string }[];
}

export function RunGraph({ run, chosen }: { run: Run; chosen: string | null }) {
  const isNarrow = matchMedia('(max-width: 640px)').matches;
  // States change at each look, the graph of a run never does.
  const { width, height, places, lines } = useMemo(() => drawn(run.steps, isNarrow), [run.id, isNarrow]);
  const states = new Map(run.steps.map(({ name, state }) => [name, state]));
  return (
    <div class="graph">
      <div class="sheet" style={{ width: `${width}px`, height: `${height}px` }}>
        <svg width={width} height={height} aria-hidden="true">
          {lines.map(({ key, points, from }) => (
            <polyline
              key={key}
              class={states.get(from) === 'completed' ? 'edge done' : 'edge'}
              points={points}
            />
          ))}
        </svg>
        {run.steps.map((step) => {
          const place = places.get(step.name) ?? { x: 0, y: 0 };
          return (
            <button
              key={step.name}
              type="button"
              class={`node state-${step.blocked ? 'blocked' : step.state}`}
              style={{
                left: `${place.x}px`,
                top: `${place.y}px`,
                width: `${isNarrow ? NARROW : WIDTH}px`,
                height: `${HEIGHT}px`,
              }}
              aria-pressed={step.name === chosen}
              onClick={() => go(to(['runs', run.id], { step: step.name }))}
            >
              <span class="name">{step.name}</span>
              <span>
                <State is={step.blocked ? 'blocked' : step.state} /> <span class="faint">{noteOf(step)}</span>
              </span>
            </button>
          );
        })}
      </div>
    </div>
  );
}

function noteOf({ kind, items, signal, chose }: Step): string {
  if (items !== null)
    return `${count(items.completed)} of ${count(items.of)}${items.failed > 0 ? `, ${count(items.failed)} failed` : ''}`;
  if (signal !== null) return `for ${signal}`;
  if (chose !== null) return chose.join(', ');
  return kind === 'task' ? '' : kind;
}

function drawn(steps: readonly Step[], isNarrow: boolean): Drawn {
  const boxWidth = isNarrow ? NARROW : WIDTH;
  const graph = new Graph();
  graph.setGraph({
    rankdir: isNarrow ? 'TB' : 'LR',
    nodesep: 18,
    ranksep: isNarrow ? 28 : 48,
    marginx: 4,
    marginy: 4,
  });
  graph.setDefaultEdgeLabel(() => ({}));
  const names = new Set(steps.map(({ name }) => name));
  for (const { name } of steps) graph.setNode(name, { width: boxWidth, height: HEIGHT });
  for (const { name, after } of steps)
    for (const parent of after) graph.setEdge(parentOf(parent, names), name);
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width,
    height,
    places: new Map(
      graph.nodes().map((name) => {
        const { x, y } = graph.node(name) as { x: number; y: number };
        return [name, { x: x - boxWidth / 2, y: y - HEIGHT / 2 }];
      }),
    ),
    lines: graph.edges().map((edge) => {
      const { points } = graph.edge(edge) as { points: readonly { x: number; y: number }[] };
      return {
        key: `${edge.v}>${edge.w}`,
        from: edge.v,
        points: points.map(({ x, y }) => `${x},${y}`).join(' '),
      };
    }),
  };
}

/** `after` has steps, and branches as `step.branch`. */
function parentOf(name: string, names: ReadonlySet<string>): string {
  return names.has(name) ? name : name.slice(0, name.lastIndexOf('.'));
}
