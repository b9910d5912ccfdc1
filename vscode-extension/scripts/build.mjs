// Bundles the extension (and, with --tests, the tests).
import { build } from 'esbuild';
import { readdirSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const production = process.argv.includes('--production');
const withTests = process.argv.includes('--tests');

rmSync(path.join(here, 'dist'), { recursive: true, force: true });

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

// What the chat panel's page holds. The browser of every VS Code that we serve knows this target.
await build({
  ...common,
  platform: 'browser',
  format: 'iife',
  target: 'es2022',
  entryPoints: ['src/webview/chat.ts', 'src/webview/chat.css'],
  outdir: 'dist/webview',
  minify: production,
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
