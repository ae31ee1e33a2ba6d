/** The table of docs/hosts.md: one convention a row. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Row {
  convention: string;
  asItComes: 'works' | 'refused' | 'refused, with the line';
  /** JavaScript that makes features of the object; '' where the object works as it comes. */
  line: string;
  runWith: string;
}

const page = readFileSync(join(__dirname, '..', '..', 'docs', 'hosts.md'), 'utf8');

export function readRows(): Row[] {
  const section = page.split(/^## Conventions$/m)[1]!.split(/^## /m)[0]!;
  const [, , ...lines] = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.map((text) => {
    const [convention, asItComes, line, runWith] = text
      .slice(1, -1)
      .split('|')
      .map((part) => part.trim());
    return {
      convention: convention!,
      asItComes: asItComes as Row['asItComes'],
      line: line!.replaceAll('`', ''),
      runWith: runWith!,
    };
  });
}
