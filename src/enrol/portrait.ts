/**
 * From bytes that somebody sent to a picture that may be kept. Whatever came in, what comes out was drawn anew by us:
 * one still JPEG, turned upright, without a word of where, when or with what it was taken, and small enough to be
 * sent with each login.
 */
import type { Sharp } from 'sharp';
import { maximumPortraitBytes } from '../store/portraits.ts';

/** One message for everything: who sends pictures to find out how they are read learns nothing. */
export class PortraitRefused extends Error {
  constructor(cause?: unknown) {
    super('this is no picture that can be a portrait', { cause });
    this.name = 'PortraitRefused';
  }
}

/** Twice what a phone's front camera makes. A header may claim anything, and costs nothing to write. */
const maximumPixels = 24_000_000;
const maximumSeconds = 10;
/** Tried one after the other until the picture is small enough; a face needs less than the last. */
const longestSidesPx = [1_440, 1_024, 720, 512];
const quality = 90;

const signatures = [
  { format: 'jpeg', bytes: Buffer.from([0xff, 0xd8, 0xff]) },
  { format: 'png', bytes: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) },
] as const;

/** @throws PortraitRefused */
export async function preparePortrait(bytes: Buffer): Promise<Buffer> {
  const known = signatures.find((one) => bytes.subarray(0, one.bytes.length).equals(one.bytes));
  if (!known) throw new PortraitRefused();
  const open = await loadSharp();
  try {
    const { format } = await open(bytes).metadata();
    if (format !== known.format) throw new PortraitRefused();
    for (const sidePx of longestSidesPx) {
      const portrait = await draw(open(bytes), sidePx);
      if (portrait.length <= maximumPortraitBytes) return portrait;
    }
  } catch (cause) {
    throw cause instanceof PortraitRefused ? cause : new PortraitRefused(cause);
  }
  throw new PortraitRefused();
}

function draw(picture: Sharp, sidePx: number): Promise<Buffer> {
  return picture
    .autoOrient()
    .resize({ width: sidePx, height: sidePx, fit: 'inside', withoutEnlargement: true })
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .jpeg({ quality })
    .timeout({ seconds: maximumSeconds })
    .toBuffer();
}

let loaded: Promise<(bytes: Buffer) => Sharp> | undefined;

/**
 * Loaded when the first portrait comes: most processes never see one, and the library is large. Of all that it can
 * read, only the two kinds that we take are left switched on, and it keeps no picture in its memory.
 */
function loadSharp(): Promise<(bytes: Buffer) => Sharp> {
  loaded ??= import('sharp').then(({ default: sharp }) => {
    sharp.cache(false);
    sharp.block({ operation: ['VipsForeignLoad'] });
    sharp.unblock({ operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer'] });
    return (bytes) => sharp(bytes, { limitInputPixels: maximumPixels, failOn: 'warning' });
  });
  return loaded;
}
