/**
 * Who is compared with whom. An anchor is one cross-entropy of the loss: an explicit list of the similarities in its
 * denominator, each with its target. Everything that an objective or an option means is decided here, once per anchor,
 * in the words of the papers; softmax and gradients are the business of dense.ts.
 */
import type { DenseLists, DenseOptions, DirectionName } from './dense-options';
import { type Rows, Similarities } from './similarities';

/** One similarity in an anchor's denominator. */
export interface Term {
  of: Similarities;
  /** Position in its table. */
  at: number;
  positive: boolean;
  /** Share of the target distribution. */
  target: number;
  /** Added to the logit, a constant. */
  extra: number;
}

export interface Anchor {
  /** Weight of its cross-entropy in the loss; 0: it is not in the loss. */
  weight: number;
  /** Whose loss it is part of, and with what weight; null: no query's. */
  query: number | null;
  rowWeight: number;
  /** Whether its log-sum-exp and its ranking are what the query reports. */
  reported: boolean;
  /** Of the query's reported anchors; default 1. */
  share?: number;
  terms: Term[];
}

/** Similarities of both sides with each other and with themselves, made when first asked for. */
export class Tables {
  readonly q: Rows;
  readonly k: Rows | null;
  readonly h: Rows | null;
  /** Query i has the rows from [i] to before [i + 1] of the hard negatives. */
  private readonly hardOffsets: readonly number[];
  private readonly made = new Map<string, Similarities>();

  constructor(queries: Rows, keys: Rows | null, hardNegatives: Rows | null, offsets?: ArrayLike<number>) {
    this.q = queries;
    this.k = keys;
    this.h = hardNegatives;
    const perQuery = (hardNegatives?.count ?? 0) / queries.count;
    this.hardOffsets = offsets
      ? Array.from(offsets)
      : Array.from({ length: queries.count + 1 }, (_, i) => i * perQuery);
  }

  get queryKey() {
    return this.make('queryKey', () => new Similarities(this.q, this.k!));
  }

  get queryQuery() {
    return this.make('queryQuery', () => new Similarities(this.q, this.q));
  }

  get keyKey() {
    return this.make('keyKey', () => new Similarities(this.k!, this.k!));
  }

  /** Query i with its own rows of the hard negatives: column j is its j-th row. */
  get hard() {
    return this.make('hard', () => {
      const most = Math.max(...Array.from({ length: this.q.count }, (_, i) => this.hardCount(i)));
      const rowOf = (i: number, j: number) => (j < this.hardCount(i) ? this.hardOffsets[i] + j : -1);
      return new Similarities(this.q, this.h!, most, rowOf);
    });
  }

  hardCount(query: number): number {
    return this.hardOffsets[query + 1] - this.hardOffsets[query];
  }

  /** Those asked for so far. */
  all(): Similarities[] {
    return [...this.made.values()];
  }

  private make(name: string, table: () => Similarities): Similarities {
    if (!this.made.has(name)) this.made.set(name, table());
    return this.made.get(name)!;
  }
}

/** Which pairs do not count as negatives of each other. */
export class Exclusions {
  /** Nearest that any negative came to a limit without meeting it, so that tests can tell a choice from a rounding. */
  clearance = Number.POSITIVE_INFINITY;
  private readonly limits: number[] | null;
  private readonly guideLimits: number[] | null;
  private readonly listed: Set<number>[] | null;
  private readonly excluded = new Map<Similarities, Set<number>>();

  constructor(
    private readonly tables: Tables,
    private readonly options: DenseOptions,
    /** Similarities of the guide's features. */
    private readonly guided: Tables | null,
  ) {
    const { falseNegativeMargin: margin, guide, excludePairs } = options;
    this.listed = excludePairs
      ? Array.from({ length: tables.q.count }, (_, i) => new Set(listOf(excludePairs, i)))
      : null;
    // Qwen3 Embedding (Zhang et al. 2025): a negative with sim > sim(q_i, k_p) + margin is taken for a false one.
    this.limits = margin === undefined ? null : this.limitsOf(tables, (positive) => positive + margin);
    // GISTEmbed (Solatorio 2024), with sentence-transformers' margins; a fraction is one of the size
    const { margin: below = 0, relative = false } = guide ?? {};
    const guideLimit = (positive: number) => positive - (relative ? Math.abs(positive) * below : below);
    this.guideLimits = guided && this.limitsOf(guided, guideLimit);
  }

  /** Limits that follow from the positives, in float32, as a tie must fall on the same side. */
  private limitsOf({ queryKey, q }: Tables, limit: (positive: number) => number): number[] {
    const { labels } = this.options;
    return Array.from({ length: q.count }, (_, i) =>
      Math.fround(limit(queryKey.dots[i * queryKey.columns + labelOf(labels, i)])),
    );
  }

  /** Row i of a table with its column j; `bothAnchors`: j has a limit too. */
  excludes(of: Similarities, i: number, j: number, bothAnchors: boolean): boolean {
    const id = this.idOf(of.left, i);
    const equalIds = id !== null && id === this.idOf(of.right, of.rowOf(i, j));
    const listed = of === this.tables.queryKey && this.isListed(i, j);
    if (!equalIds && !listed && !this.beyond(of, i, j, i) && !(bothAnchors && this.beyond(of, i, j, j)))
      return false;
    const pair = of.left === of.right ? Math.min(i, j) * of.columns + Math.max(i, j) : i * of.columns + j;
    if (!this.excluded.has(of)) this.excluded.set(of, new Set());
    this.excluded.get(of)!.add(pair);
    return true;
  }

  /** Each counted once, whichever anchors it was left out of. */
  get pairs(): number {
    return [...this.excluded.values()].reduce((sum, { size }) => sum + size, 0);
  }

  private isListed(query: number, key: number): boolean {
    return this.listed?.[query].has(key) ?? false;
  }

  private beyond(of: Similarities, i: number, j: number, anchor: number): boolean {
    const at = i * of.columns + j;
    const over = [this.limits === null ? 0 : of.dots[at] - this.limits[anchor]];
    if (this.guideLimits !== null && (of.right !== this.tables.h || this.guided!.h !== null)) {
      over.push(twin(of, this.tables, this.guided!).dots[at] - this.guideLimits[anchor]);
    }
    for (const one of over) if (one !== 0) this.clearance = Math.min(this.clearance, Math.abs(one));
    return over.some((one) => one > 0);
  }

  private idOf(side: Rows, row: number): number | null {
    const { queryIds, keyIds } = this.options;
    if (queryIds === undefined || keyIds === undefined) return null;
    if (side === this.tables.h) return this.options.hardNegatives?.ids?.[row] ?? null;
    return side === this.tables.q ? queryIds[row] : keyIds[row];
  }
}

export function isListed(labels: DenseOptions['labels']): labels is DenseLists {
  return labels !== undefined && 'offsets' in labels;
}

/** The only positive of query i. */
function labelOf(labels: DenseOptions['labels'], i: number): number {
  if (isListed(labels)) throw new Error('there are several positives');
  return labels?.[i] ?? i;
}

/** The keys of list i. */
export function listOf({ offsets, keys }: DenseLists, i: number): number[] {
  return Array.from(keys).slice(offsets[i], offsets[i + 1]);
}

interface Denominator {
  weight: number;
  over: readonly DirectionName[];
}

/** The cross-entropies of one pair. The first also runs over the query's hard negatives. */
function denominators({ objective, directions, partition }: DenseOptions): Denominator[] {
  if (directions !== undefined) {
    const order: DirectionName[] = ['queryToKey', 'keyToQuery', 'queryToQuery', 'keyToKey'];
    const over = order.filter((name) => directions.includes(name));
    if (partition !== 'perDirection') return [{ weight: 1, over }];
    return over.map((name) => ({ weight: 1 / over.length, over: [name] }));
  }
  if (objective === 'infonce') return [{ weight: 1, over: ['queryToKey'] }]; // van den Oord et al. 2018, eq. 4
  const ownSides = objective === 'ntxent'; // Chen et al. 2020 (SimCLR), eq. 1; otherwise clip, Radford et al. 2021
  return [
    { weight: 1 / 2, over: ownSides ? ['queryToKey', 'queryToQuery'] : ['queryToKey'] },
    { weight: 1 / 2, over: ownSides ? ['keyToQuery', 'keyToKey'] : ['keyToQuery'] },
  ];
}

/** What is added to a negative's logit: LLaVE (Lan et al. 2025), exp(x_ij + alpha sg(q_i . k_j)). */
function hardnessOf({ hardness }: DenseOptions, tables: Tables, at: Tables) {
  return (of: Similarities, position: number): number => {
    if (hardness === undefined) return 0;
    const own = tables.h !== null && of === tables.hard;
    const applies = own ? hardness.on !== 'inBatch' : hardness.on !== 'hard';
    return applies ? hardness.strength * twin(of, tables, at).dots[position] : 0;
  };
}

/** The table of the same kind over other features. */
function twin(of: Similarities, tables: Tables, others: Tables): Similarities {
  if (of.right === tables.h) return others.hard;
  if (of.left !== of.right) return others.queryKey;
  return of.left === tables.q ? others.queryQuery : others.keyKey;
}

/** clip, infonce, ntxent and directions: pair i is query i and its one positive. */
export function* pairAnchors(
  tables: Tables,
  options: DenseOptions,
  exclusions: Exclusions,
  hardnessAt: Tables,
  /** Similarities of a teacher's features. */
  taught: Tables | null,
): Generator<Anchor> {
  const { queryKey, q } = tables;
  const list = denominators(options);
  const keysAreAnchors = list.some(({ over }) => over.includes('keyToQuery'));
  const hardness = hardnessOf(options, tables, hardnessAt);
  const total = sum(options.queryWeights ?? new Array(q.count).fill(1));
  for (let i = 0; i < q.count; i++) {
    const p = labelOf(options.labels, i);
    for (const [n, { weight, over }] of list.entries()) {
      const at = i * queryKey.columns + p;
      const terms: Term[] = [{ of: queryKey, at, positive: true, target: 0, extra: 0 }];
      const negative = (of: Similarities, row: number, column: number, bothAnchors: boolean) => {
        if (exclusions.excludes(of, row, column, bothAnchors)) return;
        const position = row * of.columns + column;
        terms.push({ of, at: position, positive: false, target: 0, extra: hardness(of, position) });
      };
      const negatives: Record<DirectionName, () => void> = {
        queryToKey: () => allBut(p, queryKey.columns, (j) => negative(queryKey, i, j, keysAreAnchors)),
        keyToQuery: () => allBut(i, q.count, (j) => negative(queryKey, j, i, true)),
        queryToQuery: () => allBut(i, q.count, (j) => negative(tables.queryQuery, i, j, true)),
        keyToKey: () => allBut(i, q.count, (j) => negative(tables.keyKey, i, j, true)),
      };
      for (const direction of over) negatives[direction]();
      if (n === 0) allBut(null, tables.hardCount(i), (j) => negative(tables.hard, i, j, false));
      smooth(terms, options.labelSmoothing ?? 0);
      const share = (options.queryWeights?.[i] ?? 1) / total; // the loss is a weighted mean over queries
      yield { weight: weight * share, query: i, rowWeight: weight, reported: n === 0, terms };
      if (options.teacher === undefined || taught === null) continue;
      // Hinton et al. 2015: the same denominator, and the teacher's probabilities as targets
      const targets = softTargets(terms, taught.queryKey, options.teacher.logitScale);
      const own = weight * options.teacher.weight;
      yield { weight: own * share, query: i, rowWeight: own, reported: false, terms: targets };
    }
  }
}

/**
 * clip and infonce with lists. Each positive of an anchor has a cross-entropy of its own, in which the anchor's other
 * positives do not count; the anchor's loss is their mean. The anchors of the other direction are the keys that some
 * query lists. A pair's loss is its query's.
 */
export function* listedAnchors(
  tables: Tables,
  options: DenseOptions,
  exclusions: Exclusions,
  hardnessAt: Tables,
): Generator<Anchor> {
  const { queryKey, q, k } = tables;
  const hardness = hardnessOf(options, tables, hardnessAt);
  const positives = Array.from({ length: q.count }, (_, i) => listOf(options.labels as DenseLists, i));
  const listers = Array.from({ length: k!.count }, (_, j) =>
    positives.flatMap((list, i) => (list.includes(j) ? [i] : [])),
  );
  const positive = (i: number, j: number): Term => {
    return { of: queryKey, at: i * queryKey.columns + j, positive: true, target: 1, extra: 0 };
  };
  const negatives = (of: Similarities, pairs: [row: number, column: number][]): Term[] =>
    pairs.flatMap(([row, column]) => {
      if (exclusions.excludes(of, row, column, false)) return [];
      const at = row * of.columns + column;
      return [{ of, at, positive: false, target: 0, extra: hardness(of, at) }];
    });
  const upTo = (count: number) => Array.from({ length: count }, (_, at) => at);
  const directions = options.objective === 'infonce' ? 1 : 2;
  const total = sum(options.queryWeights ?? new Array(q.count).fill(1));
  for (let i = 0; i < q.count; i++) {
    const others = upTo(k!.count).filter((j) => !positives[i].includes(j));
    const terms = negatives(
      queryKey,
      others.map((j) => [i, j]),
    );
    if (tables.h !== null) {
      terms.push(
        ...negatives(
          tables.hard,
          upTo(tables.hardCount(i)).map((j) => [i, j]),
        ),
      );
    }
    for (const p of positives[i]) {
      const share = 1 / positives[i].length;
      const weight = (share * (options.queryWeights?.[i] ?? 1)) / total / directions;
      yield {
        ...{ weight, query: i, rowWeight: share / directions, reported: true, share },
        terms: [positive(i, p), ...terms],
      };
    }
  }
  if (directions === 1) return;
  const anchors = listers.filter((list) => list.length > 0).length;
  for (let j = 0; j < k!.count; j++) {
    const others = upTo(q.count).filter((i) => !listers[j].includes(i));
    const terms =
      listers[j].length === 0
        ? []
        : negatives(
            queryKey,
            others.map((i) => [i, j]),
          );
    for (const i of listers[j]) {
      const weight = 1 / (2 * anchors * listers[j].length);
      yield {
        ...{ weight, query: i, rowWeight: weight * q.count, reported: false },
        terms: [positive(i, j), ...terms],
      };
    }
  }
}

/** The same terms, whose targets are the softmax of a teacher's logits. */
function softTargets(terms: readonly Term[], teacher: Similarities, scale: number): Term[] {
  const y = terms.map(({ at }) => scale * teacher.dots[at]);
  const largest = y.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const sizes = y.map((value) => Math.exp(value - largest));
  const total = sum(sizes);
  return terms.map((term, t) => ({ ...term, target: sizes[t] / total }));
}

function allBut(except: number | null, count: number, visit: (j: number) => void): void {
  for (let j = 0; j < count; j++) if (j !== except) visit(j);
}

/** Szegedy et al. 2016 as in torch's cross_entropy: 1 - eps on the positive, and eps spread over all that counts. */
function smooth(terms: Term[], eps: number): void {
  for (const term of terms) term.target = (term.positive ? 1 - eps : 0) + eps / terms.length;
}

/** supcon, Khosla et al. 2020, eq. 2 (L_out), over both sides' rows: the others of an anchor's class are positives. */
export function* classAnchors(tables: Tables, { labels }: DenseOptions): Generator<Anchor> {
  const { q, k } = tables;
  const m = q.count;
  const rows = Array.from({ length: k === null ? m : 2 * m }, (_, z) => z);
  const classOf = (z: number) => labelOf(labels, z % m);
  const { queryQuery } = tables;
  const queryKey = k && tables.queryKey;
  const keyKey = k && tables.keyKey;
  const tableOf = (a: number, b: number) => {
    if (a < m !== b < m) return queryKey!;
    return a < m ? queryQuery : keyKey!;
  };
  const positionOf = (a: number, b: number) => {
    if (a < m !== b < m) return a < m ? a * m + b - m : b * m + a - m;
    return a < m ? a * m + b : (a - m) * m + b - m;
  };
  const members = new Map<number, number>();
  for (const z of rows) members.set(classOf(z), (members.get(classOf(z)) ?? 0) + 1);
  const positivesOf = (z: number) => members.get(classOf(z))! - 1;
  const anchors = rows.filter((z) => positivesOf(z) > 0).length; // the mean is over those with positives
  for (const a of rows) {
    const share = 1 / positivesOf(a);
    const terms: Term[] = [];
    for (const b of rows) {
      const positive = classOf(b) === classOf(a);
      const target = positive ? share : 0;
      if (b !== a) terms.push({ of: tableOf(a, b), at: positionOf(a, b), positive, target, extra: 0 });
    }
    const inLoss = positivesOf(a) > 0 ? 1 : 0;
    const weight = inLoss / Math.max(1, anchors);
    yield { weight, query: a < m ? a : null, rowWeight: inLoss, reported: true, terms };
  }
}

/** siglip: pair i and every other key that counts against it. Weights are as above; the terms are not normalised. */
export function* sigmoidAnchors(
  { queryKey, q }: Tables,
  { queryWeights }: DenseOptions,
  exclusions: Exclusions,
): Generator<Anchor> {
  const total = sum(queryWeights ?? new Array(q.count).fill(1));
  for (let i = 0; i < q.count; i++) {
    const terms: Term[] = [];
    for (let j = 0; j < queryKey.columns; j++) {
      if (i !== j && exclusions.excludes(queryKey, i, j, false)) continue;
      terms.push({ of: queryKey, at: i * queryKey.columns + j, positive: i === j, target: 0, extra: 0 });
    }
    yield { weight: (queryWeights?.[i] ?? 1) / total, query: i, rowWeight: 1, reported: true, terms };
  }
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let at = 0; at < values.length; at++) total += values[at];
  return total;
}
