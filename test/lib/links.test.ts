/**
 * Links between the pages of the documentation: each leads to a file of the repository and, after a #, to one
 * of its headings.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(__dirname, '..', '..');
const pages = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));

/** A page without its examples, which may hold brackets of any kind. */
const prose = (page: string) => readFileSync(join(root, page), 'utf8').replace(/^```.*?^```$/gms, '');

/** The names by which GitHub links to the headings of a page. */
function anchors(page: string): string[] {
  const headings = [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!.toLowerCase());
  return headings.map((heading) => heading.replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'));
}

/** The errors of one link of a page. */
function complaint(page: string, link: string): string[] {
  const [path, anchor] = link.split('#');
  const target = path ? join(dirname(page), path) : page;
  if (!existsSync(join(root, target))) return [`${link}: there is no ${target}`];
  if (anchor && !anchors(target).includes(anchor)) return [`${link}: ${target} has no such heading`];
  return [];
}

const linksOf = (page: string) => [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
const isLocal = (link: string) => !/^\w+:/.test(link);

it('tells a link to nowhere', () => {
  expect(complaint('README.md', 'docs/api.md#options')).toEqual([]);
  expect(complaint('README.md', 'docs/apis.md')).toHaveLength(1);
  expect(complaint('README.md', 'docs/api.md#wishes')).toHaveLength(1);
});

it.each(pages)('the links of %s lead somewhere', (page) => {
  const links = linksOf(page).filter(isLocal);
  expect(links.flatMap((link) => complaint(page, link))).toEqual([]);
});

it('README leads to every page', () => {
  const reached = linksOf('README.md').map((link) => link.split('#')[0]);
  expect(pages.filter((page) => page !== 'README.md' && !reached.includes(page))).toEqual([]);
});
