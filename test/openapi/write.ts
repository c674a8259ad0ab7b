/** Writes docs/openapi.yaml out of the table of acts; `--check` fails when what is there is another. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { stringify } from 'yaml';
import { acts } from '../../src/ops/acts/index.ts';
import { openApiDocument } from '../../src/ops/api/openapi.ts';

const root = new URL('../..', import.meta.url).pathname;
const file = join(root, 'docs/openapi.yaml');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
};

const head = '# Written by `npm run generate` out of src/ops/acts. Change the acts, not this.\n';
const document = stringify(openApiDocument(acts, version), { aliasDuplicateObjects: false });
const options = { ...(await resolveConfig(file)), filepath: file };
const text = await format(head + document, options);

if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    process.stderr.write('docs/openapi.yaml is not what the acts say: npm run generate\n');
    process.exitCode = 1;
  }
} else {
  writeFileSync(file, text);
}
