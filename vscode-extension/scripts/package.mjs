// Makes osiris.vsix: one package for every platform. Needs neither git nor the network.
import { createVSIX } from '@vscode/vsce';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

await createVSIX({
  cwd: here,
  packagePath: path.join(here, 'osiris.vsix'),
  dependencies: false, // bundled by esbuild
  allowMissingRepository: true,
  skipLicense: false,
});
