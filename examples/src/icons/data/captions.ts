/**
 * From the name of an icon to its caption: the words of the name, without the word for its style. Refuses to
 * translate or to look anything up.
 */

/** Styles that sets do not declare as suffixes. */
const commonSuffixes = [
  'outline',
  'outlined',
  'outline-rounded',
  'outline-sharp',
  'filled',
  'fill',
  'line',
  'bold',
  'duotone',
  'light',
  'thin',
  'regular',
  'rounded',
  'round',
  'sharp',
  'solid',
  'sharp-solid',
  '24-regular',
  '24-filled',
  '24-outline',
  '24-solid',
  'negative',
];

/**
 * The caption: lower case, one space between words, one style suffix less. An icon whose whole name is a style
 * keeps it.
 * @param declared Suffixes that the set's own metadata lists; the empty one means "no suffix".
 */
export function captionOf(name: string, declared: readonly string[] = []): string {
  const suffixes = [...new Set([...declared, ...commonSuffixes])]
    .filter((suffix) => suffix !== '')
    .sort((a, b) => b.length - a.length);
  const suffix = suffixes.find((ending) => name.endsWith(`-${ending}`) && name.length > ending.length + 1);
  const stem = suffix === undefined ? name : name.slice(0, -suffix.length - 1);
  return stem.toLowerCase().split(/[-_]+/).filter(Boolean).join(' ');
}
