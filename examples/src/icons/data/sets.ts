/**
 * The icon sets of the demo: what each one is for, and which of its icons are used. Versions are pinned in
 * `examples/icons/package.json`. Refuses sets whose licence asks for more than a notice (CC BY, for example).
 */

export interface SetRule {
  /** The name of the package after `@iconify-json/`. */
  name: string;
  /** Whether an icon of this name is used; all are used without it. */
  keep?: (icon: string) => boolean;
}

/** Every set of the demo, under MIT, ISC or Apache 2.0. */
export const setRules: readonly SetRule[] = [
  { name: 'bi' },
  { name: 'carbon' },
  // one of twenty sizes
  { name: 'fluent', keep: (icon) => /-24-(regular|filled)$/.test(icon) },
  { name: 'fluent-mdl2' },
  // doubles of other icons
  { name: 'healthicons', keep: (icon) => !icon.endsWith('-24px') },
  // the same icons for smaller sizes
  { name: 'heroicons', keep: (icon) => !/-(16|20)-solid$/.test(icon) },
  { name: 'hugeicons' },
  { name: 'icon-park-outline' },
  { name: 'iconoir' },
  // doubles in the style of two telephones
  { name: 'ion', keep: (icon) => !/^(ios|md)-/.test(icon) },
  { name: 'lucide' },
  { name: 'material-symbols' },
  { name: 'mdi' },
  { name: 'mingcute' },
  { name: 'ph' },
  { name: 'ri' },
  { name: 'tabler' },
  { name: 'tdesign' },
  { name: 'uil' },
];

/** Never trained on: the report's figures are about its icons. */
export const unseenSet = 'tabler';

/** Settings are compared on this set, and without the unseen one. */
export const comparedSet = 'hugeicons';

/** Training sets of a quick run. */
export const quickSets: readonly string[] = [
  'heroicons',
  'iconoir',
  'lucide',
  'mingcute',
  'ri',
  'tdesign',
  'uil',
];

/** Sets that the page shows, in this order until the page is full; the unseen set is always the first. */
export const gallerySets: readonly string[] = [
  'lucide',
  'ph',
  'mdi',
  'iconoir',
  'carbon',
  'mingcute',
  'tdesign',
  'ri',
  'healthicons',
  'hugeicons',
];

export function ruleOf(name: string): SetRule {
  const rule = setRules.find((known) => known.name === name);
  if (rule === undefined) throw new RangeError(`Expected a set of the demo but received ${name}`);
  return rule;
}
