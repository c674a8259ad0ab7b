/** Which browser and system a User-Agent header speaks of, as coarse as Didit's device analysis reports it. */
export interface UserAgent {
  browserFamily: string | null;
  osFamily: string | null;
  platform: 'desktop' | 'mobile';
}

/** In this order: every browser also claims to be the ones below it. */
const browsers: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|HeadlessChrome|CriOS)\//, 'Chrome'],
  [/\bVersion\/[\d.]+(?: Mobile\/\w+)? Safari\//, 'Safari'],
];

const systems: readonly (readonly [RegExp, string])[] = [
  [/\b(?:iPhone|iPad|iPod)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMacintosh\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

export function parseUserAgent(header: string): UserAgent {
  const first = (table: typeof browsers) =>
    table.find(([pattern]) => pattern.test(header))?.[1] ?? null;
  const osFamily = first(systems);
  const isMobile = osFamily === 'iOS' || osFamily === 'Android';
  return { browserFamily: first(browsers), osFamily, platform: isMobile ? 'mobile' : 'desktop' };
}
