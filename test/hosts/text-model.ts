/** A folder with a tiny text model, as transformers.js expects one: a vocabulary of words, and a table of vectors. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { textModel } from './onnx-towers';

const dim = 8;
const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];
const vocabulary = [...special, 'a', 'the', 'red', 'blue', 'dog', 'cat', 'cats'];

/** Each word has a direction of its own. Plural and singular are near; other words say nothing. */
function table(): Float32Array {
  const axes: Record<string, number> = { red: 0, blue: 1, dog: 2, cat: 3, cats: 3 };
  const vectors = new Float32Array(vocabulary.length * dim).fill(0.01);
  vocabulary.forEach((word, row) => {
    const axis = axes[word];
    if (axis !== undefined) vectors[row * dim + axis] = 1;
  });
  return vectors;
}

function tokenizer() {
  const added = special.map((content, id) => ({
    ...{ id, content, special: true },
    ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
  }));
  const token = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const idOf = (content: string) => ({ id: content, ids: [special.indexOf(content)], tokens: [content] });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [token('[CLS]'), { Sequence: { id: 'A', type_id: 0 } }, token('[SEP]')],
      pair: [],
      special_tokens: { '[CLS]': idOf('[CLS]'), '[SEP]': idOf('[SEP]') },
    },
    decoder: null,
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(vocabulary.map((word, id) => [word, id])),
      unk_token: '[UNK]',
    },
  };
}

export function writeTextModel(folder: string): void {
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  const json = (name: string, value: object) => writeFileSync(join(folder, name), JSON.stringify(value));
  const [pad_token, unk_token, cls_token, sep_token] = special;
  const tokens = { pad_token, unk_token, cls_token, sep_token };
  json('tokenizer.json', tokenizer());
  json('tokenizer_config.json', {
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_max_length: 64,
    ...tokens,
  });
  json('config.json', { model_type: 'bert', architectures: ['BertModel'], hidden_size: dim });
  writeFileSync(join(folder, 'onnx', 'model.onnx'), textModel(table(), dim));
}
