/** The operator's logo, inlined: the pages' policy lets in no image from anywhere else. */
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
};
const maximumBytes = 64 * 1024;

/** @returns a `data:` URL. @throws when the file is no raster image or too large to stand in every page. */
export function readLogo(fileName: string): string {
  const type = types[extname(fileName).toLowerCase()];
  if (!type) throw new Error(`${fileName}: a logo is a PNG, JPEG or WebP file`);
  const image = readFileSync(fileName);
  if (image.length > maximumBytes) throw new Error(`${fileName}: a logo has at most 64 KiB`);
  return `data:${type};base64,${image.toString('base64')}`;
}
