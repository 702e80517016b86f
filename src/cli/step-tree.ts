import type { StepView } from '../flow/run-view.ts';

/**
 * The steps of a run as the lines of a tree. A step stands below the nearest step that every way to it passes (its
 * dominator): so branches are indented, a chain is not however long it is, and a join stands level with the step where
 * its branches part.
 */
export interface StepLine {
  /** What is drawn before the name. */
  readonly lead: string;
  readonly step: StepView;
}

interface Node {
  readonly step: StepView | null;
  readonly above: Node | null;
  readonly depth: number;
  readonly below: Node[];
}

export function stepTree(steps: readonly StepView[]): StepLine[] {
  const lines: StepLine[] = [];
  drawBelow(treeOf(steps), '', lines);
  return lines;
}

/** Parents stand before their children in `steps`. */
function treeOf(steps: readonly StepView[]): Node {
  const root: Node = { step: null, above: null, depth: 0, below: [] };
  const nodes = new Map<string, Node>();
  for (const step of steps) {
    const parents = parentsOf(step).map((name) => nodes.get(name) ?? root);
    const above = parents.length === 0 ? root : parents.reduce(meeting);
    const node: Node = { step, above, depth: above.depth + 1, below: [] };
    above.below.push(node);
    nodes.set(step.name, node);
  }
  return root;
}

/** Without the branches of decisions: a step's name has no dot. */
export function parentsOf({ after }: Pick<StepView, 'after'>): string[] {
  return [...new Set(after.map((parent) => parent.split('.')[0] ?? ''))];
}

function meeting(one: Node, other: Node): Node {
  let [a, b] = [one, other];
  while (a !== b) {
    if (a.depth >= b.depth) a = a.above ?? a;
    else b = b.above ?? b;
  }
  return a;
}

function drawBelow({ below }: Node, indent: string, lines: StepLine[]): void {
  const last = below.at(-1);
  const goesOn = last !== undefined && (below.length === 1 || parentsOf(last.step as StepView).length > 1);
  for (const node of below) {
    const isLast = node === last;
    if (isLast && goesOn) draw(node, indent, indent, lines);
    else draw(node, `${indent}${isLast ? '└─ ' : '├─ '}`, `${indent}${isLast ? '   ' : '│  '}`, lines);
  }
}

function draw(node: Node, lead: string, indent: string, lines: StepLine[]): void {
  lines.push({ lead, step: node.step as StepView });
  drawBelow(node, indent, lines);
}
