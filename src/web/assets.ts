/**
 * Styles and scripts, read once at the start and served from memory.
 *
 * The file name carries a hash of the content, so a browser may keep it for ever and still never
 * shows an old style on a new page. Only names from the table are served: there is no path to climb
 * out of.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Context } from 'koa';
import { themeStylesheet } from './theme.ts';

export interface Assets {
  /** The public path of `app.css` and its like, as the pages link it. */
  href(name: string): string;
  /** Answers `GET` and `HEAD` below its path. */
  serve(ctx: Context): void;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

export function loadAssets(options: {
  directory: string;
  /** The operator's accent colour, `#rrggbb`. */
  colour?: string | undefined;
  /** Where they are served; everything below it is theirs. */
  publicPath?: string;
}): Assets {
  const { publicPath = '/assets/' } = options;
  const contents = new Map<string, Buffer>([
    ['theme.css', Buffer.from(themeStylesheet(options.colour))],
  ]);
  for (const name of readdirSync(options.directory)) {
    contents.set(name, readFileSync(join(options.directory, name)));
  }

  const hrefs = new Map<string, string>();
  const served = new Map<string, { body: Buffer; contentType: string }>();
  for (const [name, body] of contents) {
    const contentType = contentTypes[extname(name)];
    if (contentType === undefined) throw new Error(`no content type for the asset "${name}"`);
    const path = publicPath + hashedName(name, body);
    hrefs.set(name, path);
    served.set(path, { body, contentType });
  }

  return {
    href(name) {
      const path = hrefs.get(name);
      if (path === undefined) throw new Error(`no asset "${name}"`);
      return path;
    },
    serve(ctx) {
      if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
        ctx.status = 405;
        ctx.set('Allow', 'GET, HEAD');
        return;
      }
      const asset = served.get(ctx.path);
      if (asset === undefined) {
        ctx.status = 404;
        return;
      }
      ctx.type = asset.contentType;
      ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
      ctx.body = asset.body;
    },
  };
}

function hashedName(name: string, body: Buffer): string {
  const extension = extname(name);
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12);
  return `${name.slice(0, -extension.length)}.${hash}${extension}`;
}
