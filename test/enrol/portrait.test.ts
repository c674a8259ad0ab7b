/** What may become a portrait, tried with pictures that were made to do harm. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { PortraitRefused, preparePortrait } from '../../src/enrol/portrait.ts';
import { maximumPortraitBytes } from '../../src/store/portraits.ts';

const red = { r: 200, g: 40, b: 40 };
const plain = (width: number, height: number): Sharp =>
  sharp({ create: { width, height, channels: 3, background: red } });
/** Compresses badly, so that little of it is already large. */
const noisy = (width: number, height: number): Sharp =>
  sharp({
    create: {
      ...{ width, height, channels: 3, background: 'black' },
      noise: { type: 'gaussian', mean: 128, sigma: 60 },
    },
  });

const jpegStart = Buffer.from([0xff, 0xd8, 0xff]);
let jpeg: Buffer;
let png: Buffer;
beforeAll(async () => {
  jpeg = await plain(320, 240).jpeg().toBuffer();
  png = await plain(320, 240).png().toBuffer();
});

async function refused(bytes: Buffer): Promise<void> {
  const error: unknown = await preparePortrait(bytes).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(PortraitRefused);
  expect((error as Error).message).toBe('this is no picture that can be a portrait');
}

function pngChunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, sum]);
}

/** A valid PNG of few bytes that says how large it is. */
function pngOf(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.writeUInt8(8, 8);
  const rows = deflateSync(Buffer.alloc(1_000_000));
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', rows),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The same picture, whose frame header claims another size. */
function claiming(picture: Buffer, width: number, height: number): Buffer {
  const changed = Buffer.from(picture);
  const frame = changed.indexOf(Buffer.from([0xff, 0xc0]));
  changed.writeUInt16BE(height, frame + 5);
  changed.writeUInt16BE(width, frame + 7);
  return changed;
}

describe('[EN-05] a picture', () => {
  test('that is a JPEG or PNG becomes a still JPEG of the same size', async () => {
    for (const bytes of [jpeg, png]) {
      const portrait = await preparePortrait(bytes);
      const { format, width, height, pages } = await sharp(portrait).metadata();
      expect({ format, width, height, pages }).toEqual({ format: 'jpeg', width: 320, height: 240 });
      const { dominant } = await sharp(portrait).stats();
      expect(dominant).toMatchObject({ r: 200, g: 40, b: 40 });
    }
  });

  test('comes out the same each time, and differs when the picture does', async () => {
    expect(await preparePortrait(jpeg)).toEqual(await preparePortrait(jpeg));
    expect(await preparePortrait(jpeg)).not.toEqual(
      await preparePortrait(await noisy(320, 240).jpeg().toBuffer()),
    );
  });

  test('that is clear has a white ground, not a black one', async () => {
    const background = { r: 0, g: 0, b: 0, alpha: 0 };
    const clear = sharp({ create: { width: 64, height: 64, channels: 4, background } });
    const { dominant } = await sharp(await preparePortrait(await clear.png().toBuffer())).stats();
    expect(dominant.r).toBeGreaterThan(240);
  });

  test('that lay on its side stands upright', async () => {
    const lying = await plain(300, 100).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const { width, height, orientation } = await sharp(await preparePortrait(lying)).metadata();
    expect({ width, height, orientation }).toEqual({ width: 100, height: 300 });
  });

  test('that is larger than Didit takes is made smaller until it fits', async () => {
    const large = await noisy(2_000, 1_500).jpeg({ quality: 100 }).toBuffer();
    expect(large.length).toBeGreaterThan(5 * maximumPortraitBytes);
    const portrait = await preparePortrait(large);
    expect(portrait.length).toBeLessThanOrEqual(maximumPortraitBytes);
    const { width, height } = await sharp(portrait).metadata();
    expect(width / height).toBeCloseTo(4 / 3, 1);
    expect(width).toBeGreaterThanOrEqual(512);
  });

  test('that is small is not blown up', async () => {
    const { width } = await sharp(
      await preparePortrait(await plain(48, 48).jpeg().toBuffer()),
    ).metadata();
    expect(width).toBe(48);
  });
});

describe('[EN-05] what else is in the file is gone:', () => {
  test('where, when and with what it was taken', async () => {
    const marked = await plain(320, 240)
      .jpeg()
      .withExif({
        IFD0: { Make: 'CameraOfAna', Artist: 'Ana Example' },
        IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '41/1 23/1 7/1' },
      })
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/">words-of-ana</x:xmpmeta>')
      .withIccProfile('p3')
      .toBuffer();
    const before = await sharp(marked).metadata();
    expect(before).toMatchObject({ hasProfile: true });
    expect([before.exif, before.xmp]).not.toContain(undefined);
    const portrait = await preparePortrait(marked);
    const after = await sharp(portrait).metadata();
    expect([after.exif, after.xmp, after.icc, after.iptc]).toEqual(Array(4).fill(undefined));
    for (const word of ['CameraOfAna', 'Ana Example', 'words-of-ana', 'Exif', 'http']) {
      expect(portrait.includes(word), word).toBe(false);
    }
  });

  const payload = '<script>alert(document.domain)</script>';

  test.each<[string, () => Buffer]>([
    [
      'a comment',
      () => {
        const comment = Buffer.from(payload);
        const length = Buffer.from([0xff, 0xfe, 0, comment.length + 2]);
        return Buffer.concat([jpeg.subarray(0, 2), length, comment, jpeg.subarray(2)]);
      },
    ],
    [
      'a chunk of text in a PNG',
      () => {
        const text = pngChunk('tEXt', Buffer.from(`Comment\0${payload}`));
        return Buffer.concat([png.subarray(0, 33), text, png.subarray(33)]);
      },
    ],
    ['a page behind a PNG', () => Buffer.concat([png, Buffer.from(payload)])],
    ['a page behind a JPEG', () => Buffer.concat([jpeg, Buffer.from(payload)])],
    ['an archive behind a JPEG', () => Buffer.concat([jpeg, Buffer.from(`PK\x03\x04${payload}`)])],
  ])('%s', async (_, make) => {
    const bytes = make();
    expect(bytes.includes(payload)).toBe(true);
    const portrait = await preparePortrait(bytes);
    expect(portrait.includes('script')).toBe(false);
    expect(portrait.includes('PK\x03\x04')).toBe(false);
    // It ends where a JPEG ends.
    expect(portrait.subarray(-2)).toEqual(Buffer.from([0xff, 0xd9]));
  });
});

describe('[EN-05] what is no such picture is refused:', () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>';

  test.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['half a signature', Buffer.from([0xff, 0xd8])],
    ['a drawing', svg],
    ['a drawing behind the signature of a JPEG', Buffer.concat([jpegStart, Buffer.from(svg)])],
    ['a page that is also a GIF', `GIF89a/*<html>${svg}*/=1`],
    ['a page', '<!doctype html><title>404</title>'],
    ['an answer of a storage', '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'],
    ['an empty TIFF', Buffer.from('49492a0008000000000000000000', 'hex')],
    ['a program', Buffer.from('7f454c4602010100', 'hex')],
  ])('%s', async (_, content) => {
    await refused(Buffer.from(content));
  });

  test.each(['webp', 'gif', 'tiff', 'avif'] as const)('a real %s', async (format) => {
    await refused(await plain(64, 64).toFormat(format).toBuffer());
  });

  test('a JPEG after something else, and a PNG that says it is a JPEG', async () => {
    await refused(Buffer.concat([Buffer.from(' '), jpeg]));
    await refused(Buffer.concat([jpegStart, png.subarray(3)]));
    await refused(Buffer.concat([png.subarray(0, 8), jpeg]));
  });

  test.each([0.3, 0.6, 0.95])('%d of a picture', async (part) => {
    const whole = await noisy(640, 480).jpeg().toBuffer();
    await refused(whole.subarray(0, whole.length * part));
    const wholePng = await noisy(64, 48).png().toBuffer();
    await refused(wholePng.subarray(0, wholePng.length * part));
  });

  test('a picture with a bit turned round', async () => {
    const broken = await noisy(64, 48).png().toBuffer();
    const middle = Math.floor(broken.length / 2);
    broken[middle] = (broken[middle] ?? 0) ^ 1;
    await refused(broken);
  });

  test.each([
    [50_000, 50_000],
    [65_535, 65_535],
    [1, 50_000_000],
    [4_900, 4_900],
  ])('one that claims %d × %d, before any of it is decoded', async (width, height) => {
    const startMs = performance.now();
    const rssBefore = process.memoryUsage.rss();
    await refused(pngOf(width, height));
    if (height < 65_536) await refused(claiming(jpeg, width, height));
    expect(performance.now() - startMs).toBeLessThan(2_000);
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(100 * 1024 * 1024);
  });
});

test('[EN-05] animation: the first picture is all that is taken', async () => {
  const control = Buffer.alloc(8);
  control.writeUInt32BE(2, 0);
  const animated = Buffer.concat([
    png.subarray(0, 33),
    pngChunk('acTL', control),
    png.subarray(33),
  ]);
  const { pages } = await sharp(await preparePortrait(animated)).metadata();
  expect(pages).toBeUndefined();
});

test('the library for pictures is not loaded before there is one', () => {
  const program = `
    const isLoaded = () =>
      process.report.getReport().sharedObjects.some((file) => /sharp|vips/.test(file));
    await import('./src/app.ts');
    const { preparePortrait } = await import('./src/enrol/portrait.ts');
    const before = isLoaded();
    await preparePortrait(Buffer.from('${jpeg.toString('base64')}', 'base64'));
    process.stdout.write(JSON.stringify([before, isLoaded()]));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  });
  expect(JSON.parse(stdout)).toEqual([false, true]);
});
