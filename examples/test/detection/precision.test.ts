/** Average precision, judgement of boxes, suppression and the baseline, against numbers made by hand. */

import { nearestNames } from '../../src/detection/baseline/nearest-names.js';
import { likeliest } from '../../src/detection/detect/detect.js';
import { suppress } from '../../src/detection/detect/suppress.js';
import { averagePrecision, hits } from '../../src/detection/evaluate/average-precision.js';
import { type JudgedScene, judge, outcomesOf, toldScore } from '../../src/detection/evaluate/judge.js';
import { RegionList } from '../../src/detection/features/region-rows.js';
import { windowFeatures } from '../../src/detection/features/windows.js';

const box = (left: number, size = 10) => ({ left, top: 0, right: left + size, bottom: size });
const placed = (place: number, left: number) => ({ place, box: box(left) });
const found = (place: number, left: number, score: number) => ({ ...placed(place, left), score });

describe('average precision', () => {
  test.each([
    ['all found, nothing else', [found(0, 0, 0.9), found(0, 20, 0.8)], 1],
    ['a false box first', [found(0, 50, 0.95), found(0, 0, 0.9), found(0, 20, 0.8)], 2 / 3],
    ['a false box last costs nothing', [found(0, 0, 0.9), found(0, 20, 0.8), found(0, 50, 0.1)], 1],
    ['one of two found', [found(0, 0, 0.9)], 0.5],
    ['found twice counts once', [found(0, 0, 0.9), found(0, 1, 0.8), found(0, 20, 0.7)], (1 + 2 / 3) / 2],
    ['another place', [found(1, 0, 0.9), found(1, 20, 0.8)], 0],
    ['too little shared', [found(0, 5, 0.9)], 0],
    ['nothing found', [], 0],
  ])('of %s', (_, boxes, expected) => {
    expect(averagePrecision(boxes, [placed(0, 0), placed(0, 20)])).toBeCloseTo(expected, 12);
  });

  test('takes the best precision at this recall or beyond', () => {
    // right, wrong, right, right: precisions 1, 2/3, 3/4; the second counts as 3/4
    const wanted = [placed(0, 0), placed(0, 20), placed(0, 40)];
    const boxes = [found(0, 0, 0.9), found(0, 70, 0.8), found(0, 20, 0.7), found(0, 40, 0.6)];
    expect(averagePrecision(boxes, wanted)).toBeCloseTo((1 + 0.75 + 0.75) / 3, 12);
  });

  test('of nothing wanted is refused', () => {
    expect(() => averagePrecision([found(0, 0, 1)], [])).toThrow('at least one wanted box');
  });

  test('a box takes the thing that it fits best', () => {
    const wanted = [placed(0, 2), placed(0, 0)];
    expect(hits([found(0, 0, 0.9), found(0, 3, 0.8)], wanted).map(({ right }) => right)).toEqual([
      true,
      true,
    ]);
  });
});

describe('the judgement', () => {
  const label = (concept: number, score: number) => ({ concept, score });
  const scenes: JudgedScene[] = [
    {
      things: [
        { concept: 0, box: box(0) },
        { concept: 1, box: box(20) },
      ],
      found: [
        { box: box(0), objectness: 0.9, labels: [label(0, 0.8), label(2, 0.1)] },
        { box: box(20), objectness: 0.95, labels: [label(2, 0.75), label(1, 0.2)] },
        { box: box(60), objectness: 0.3, labels: [label(1, 0.25)] },
      ],
    },
    {
      things: [{ concept: 2, box: box(40) }],
      found: [{ box: box(40), objectness: 0.5, labels: [label(2, 0.6)] }],
    },
  ];

  test('counts concepts, base and novel, all in one ranking, and boxes without names', () => {
    const scores = judge(scenes, Uint8Array.of(0, 0, 1));
    // concept 0 is right; concept 1 has a false box first; concept 2 has one too, in the other scene
    expect(scores).toMatchObject({ scenes: 2, things: 3, map: (1 + 0.5 + 0.5) / 3, base: 0.75, novel: 0.5 });
    // .8 right, .75 wrong, .6 right, .25 wrong, .2 right
    expect(scores.pooled).toBeCloseTo((1 + 2 / 3 + 3 / 5) / 3, 12);
    expect(scores.agnostic).toBe(1);
    expect(scores).toMatchObject({ score: toldScore, precision: 0.5, recall: 1 / 3 });
  });

  test('of no boxes is 0', () => {
    const empty = scenes.map(({ things }) => ({ things, found: [] }));
    expect(judge(empty, new Uint8Array(3))).toMatchObject({
      map: 0,
      novel: 0,
      pooled: 0,
      precision: 0,
      recall: 0,
    });
  });

  test('tells each box what it amounts to', () => {
    expect(outcomesOf(scenes[0]!)).toEqual(['right', 'misnamed', 'wrong']);
    expect(outcomesOf(scenes[1]!)).toEqual(['right']);
    const twice = {
      ...scenes[1]!,
      found: [...scenes[1]!.found, { ...scenes[1]!.found[0]!, labels: [label(2, 0.9)] }],
    };
    expect(outcomesOf(twice)).toEqual(['wrong', 'right']);
  });
});

test('suppression keeps the surest box of a thing, and boxes of others', () => {
  const boxes = [box(0), box(2), box(9), box(0, 4), box(40)];
  const order = Int32Array.of(1, 0, 3, 2, 4);
  const options = { shared: 0.3, contained: 0.55, most: 10 };
  // 0 shares 2/3 with 1; half of 3 lies in 1
  expect(suppress(boxes, order, options)).toEqual([1, 3, 2, 4]);
  expect(suppress(boxes, order, { ...options, contained: 0.4 })).toEqual([1, 2, 4]);
  expect(suppress(boxes, order, { ...options, most: 2 })).toEqual([1, 3]);
});

test('the likeliest names come best first, equal ones in their order', () => {
  expect(likeliest(Float32Array.of(0.125, 0.5, 0.25, 0.5), 3)).toEqual([
    { concept: 1, score: 0.5 },
    { concept: 3, score: 0.5 },
    { concept: 2, score: 0.25 },
  ]);
  expect(likeliest(Float32Array.of(0.5), 3)).toHaveLength(1);
});

test('the baseline names a box by the nearest training region, each concept once', async () => {
  const at = (place: number, value = 200) => {
    const features = new Uint8Array(windowFeatures);
    features.fill(value, place, place + 12);
    return features;
  };
  const list = new RegionList();
  for (const [place, concept] of [
    [0, 7],
    [1, 7],
    [300, 4],
    [600, 2],
  ] as const)
    list.add(at(place), concept);
  const centring = { mean: new Float32Array(windowFeatures), spread: 1 };
  const scene = {
    things: [],
    found: [
      { box: box(0), objectness: 0.5, labels: [], feature: new Float32Array(0), pixels: at(301) },
      { box: box(1), objectness: 1, labels: [], feature: new Float32Array(0), pixels: at(2, 90) },
    ],
  };
  const [named] = await nearestNames([scene], list.toRows(), centring);
  const [first, second] = named!.found;
  expect(first!.labels[0]!.concept).toBe(4);
  expect(first!.labels.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(0.5, 6);
  expect(second!.labels.map(({ concept }) => concept).sort()).toEqual([2, 4, 7]);
  expect(second!.labels[0]!.concept).toBe(7);
  expect(second!.labels[0]!.score).toBeGreaterThan(0.99);
  expect((await nearestNames([{ things: [], found: [] }], list.toRows(), centring))[0]!.found).toEqual([]);
});
