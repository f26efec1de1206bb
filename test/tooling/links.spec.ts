import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '../..');
const documents = ['.', 'docs', '.github', 'bench/results'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: folder !== '.' })
    .map((name) => join(folder, String(name)))
    .filter((path) => path.endsWith('.md')),
);
const external = /^[a-z]+:/;

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const withoutCode = (text: string): string => text.replace(/^ *```[\s\S]*?^ *```/gm, '').replace(/`[^`\n]*`/g, '`');

/** The anchor that GitHub generates for a heading. */
function anchorsOf(path: string): string[] {
  const headings = withoutCode(read(path)).matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replace(/ /g, '-'),
  );
}

describe('the documents', () => {
  it('link to files and headings that exist', () => {
    const links = documents.flatMap((path) =>
      [...withoutCode(read(path)).matchAll(/\]\(<?([^)>\s]+)>?\)|^\[[^\]]+\]: (\S+)/gm)].map(
        ([, inline, reference]) => ({
          path,
          target: inline ?? reference ?? '',
        }),
      ),
    );
    const broken = links.filter(({ path, target }) => {
      if (external.test(target)) return false;
      const [file = '', anchor] = target.split('#');
      const linked = file === '' ? path : relative(root, join(root, dirname(path), file));
      if (!existsSync(join(root, linked))) return true;
      return anchor !== undefined && !anchorsOf(linked).includes(anchor);
    });
    expect(broken).toEqual([]);
    expect(links.length).toBeGreaterThan(100);
  });

  it('name only existing files of the project', () => {
    // Decisions and the changelog describe the past, "Your first route" a file yet to be written.
    const present = documents.filter((path) => !/^docs\/decisions\/|^CHANGELOG/.test(path));
    const named = present.flatMap((path) =>
      [...read(path).matchAll(/`((?:src|test|docs|scripts|bench)\/[\w./-]+\.\w+)`/g)].map(([, file]) => file as string),
    );
    expect(named.filter((file) => !existsSync(join(root, file)))).toEqual(['test/e2e/agora/registration.e2e.ts']);
  });

  it('"Follow it" in ARCHITECTURE.md names, beside each file, something that is in it', () => {
    const table = /## Follow it\n([\s\S]*?)\n## /.exec(read('ARCHITECTURE.md'))?.[1] ?? '';
    const rows = table.split('\n').filter((row) => row.startsWith('| ') && row.includes('](src/'));
    expect(rows).toHaveLength(6);
    for (const row of rows) {
      const files = [...row.matchAll(/\]\((src\/[^)]+)\)/g)].map(([, path]) => read(path as string)).join('\n');
      const names = [...row.matchAll(/`@?(\w+)`/g)].map(([, name]) => name as string);
      expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(files))).toEqual([]);
    }
  });
});
