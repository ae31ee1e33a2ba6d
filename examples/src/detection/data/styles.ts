/**
 * The drawing styles of the detection demo: emoji sets of npm under MIT, Apache 2.0 or CC BY 4.0. Versions
 * are pinned in `examples/detection/package.json`. Refuses sets whose licence asks others to share alike
 * (OpenMoji, the first EmojiOne).
 */

/** Styles to train on: names of packages after `@iconify-json/`. */
export const trainingStyles: readonly string[] = ['noto', 'twemoji', 'emojione', 'noto-v1', 'fxemoji'];

/**
 * Never trained on: the report's figures are about its drawings. The other sets of Fluent emoji have the same
 * drawings, so none of them trains either.
 */
export const unseenStyle = 'fluent-emoji-flat';

/** Licences that the demo takes, as the sets state them. */
export const takenLicences: readonly string[] = ['MIT', 'Apache-2.0', 'CC-BY-4.0'];
