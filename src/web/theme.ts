/**
 * The colours of all pages, people's and operators', in light and in dark: our own quiet ones and the one accent.
 *
 * An operator brings a colour, not a palette. It is used for buttons (white text on it) and links
 * (it on white), which is the same contrast twice; a colour that a tired eye could not read is
 * replaced by ours.
 */
const defaultAccent = '#2a4bd7';
const minimumContrast = 4.5;
const lightCard = '#ffffff';
const darkCard = '#171b24';

/** What is the same whatever the operator's colour is. `edge`: around what can be typed into or pressed. */
const quiet = {
  light: {
    ...{ ground: '#f2f3f7', card: lightCard, text: '#14171f', muted: '#555c6b' },
    ...{ line: '#d8dbe3', edge: '#6b7280', notice: '#b3261e', done: '#11734b' },
  },
  dark: {
    ...{ ground: '#0d1017', card: darkCard, text: '#eef0f5', muted: '#a9b0bf' },
    ...{ line: '#2e3442', edge: '#8d95a5', notice: '#ff9d94', done: '#5fd3a0' },
  },
};

type Rgb = readonly [number, number, number];

export function themeStylesheet(operatorColour: string | undefined): string {
  const light = readable(operatorColour) ?? parse(defaultAccent);
  const dark = lightenUntilReadable(light);
  const inLight = { ...quiet.light, accent: toHex(light), 'on-accent': lightCard };
  const inDark = { ...quiet.dark, accent: toHex(dark), 'on-accent': darkCard };
  return [
    `:root{color-scheme:light dark;${variables(inLight)}}`,
    `@media (prefers-color-scheme:dark){:root{${variables(inDark)}}}`,
    '',
  ].join('\n');
}

function variables(colours: Readonly<Record<string, string>>): string {
  return Object.entries(colours)
    .map(([name, colour]) => `--${name}:${colour}`)
    .join(';');
}

function readable(colour: string | undefined): Rgb | undefined {
  if (colour === undefined || !/^#[0-9a-f]{6}$/i.test(colour)) return undefined;
  const rgb = parse(colour);
  return contrast(rgb, parse(lightCard)) >= minimumContrast ? rgb : undefined;
}

/** In the dark the same hue, mixed with white until it can be read, as white itself can. */
function lightenUntilReadable(rgb: Rgb): Rgb {
  for (let white = 0; white < 1; white += 0.05) {
    const mixed = rgb.map((channel) => Math.round(channel + (255 - channel) * white));
    const candidate: Rgb = [mixed[0] ?? 255, mixed[1] ?? 255, mixed[2] ?? 255];
    if (contrast(candidate, parse(darkCard)) >= minimumContrast) return candidate;
  }
  return [255, 255, 255];
}

/** WCAG 2.2 contrast ratio, 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function linear(channel: number): number {
  const share = channel / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

export function parse(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function toHex(rgb: Rgb): string {
  return `#${rgb.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}
