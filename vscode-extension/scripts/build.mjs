// Bundles the extension (and, with --tests, the tests) and copies the schemas that the package ships.
import { build } from 'esbuild';
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const repository = path.resolve(here, '..');
const production = process.argv.includes('--production');
const withTests = process.argv.includes('--tests');

rmSync(path.join(here, 'dist'), { recursive: true, force: true });
rmSync(path.join(here, 'schemas'), { recursive: true, force: true });

const common = {
  absWorkingDir: here,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  logLevel: 'warning',
};

await build({
  ...common,
  entryPoints: ['src/extension.ts'],
  outfile: 'dist/extension.js',
  external: ['vscode'],
  minify: production,
  sourcemap: production ? false : 'linked',
});

if (withTests) {
  await build({
    ...common,
    entryPoints: readdirSync(path.join(here, 'test')).filter((f) => f.endsWith('.test.ts')).map((f) => `test/${f}`),
    outdir: 'dist/test',
    packages: 'external',
    sourcemap: 'inline',
  });
}

// The schemas live once, at the top of the repository; the package carries copies.
mkdirSync(path.join(here, 'schemas'), { recursive: true });
for (const file of readdirSync(path.join(repository, 'schemas')).filter((f) => f.endsWith('.json'))) {
  cpSync(path.join(repository, 'schemas', file), path.join(here, 'schemas', file));
}
