// Makes osiris.vsix: one package for every platform, with the wheels of Osiris and of pip in it.
import { createVSIX } from '@vscode/vsce';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import './bundle.mjs';

const here = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

await createVSIX({
  cwd: here,
  packagePath: path.join(here, 'osiris.vsix'),
  dependencies: false, // bundled by esbuild
  allowMissingRepository: true,
  skipLicense: false,
});
