/** Human-readable sizes. @module */

const sizes = ["bytes", "kB", "MB", "GB", "TB"];

/** A human-readable size, in powers of 1000. */
export function sizeText(bytes: number): string {
  let unit = 0;
  while (bytes >= 1000 && unit < sizes.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return `${bytes >= 100 || unit === 0 ? Math.round(bytes) : bytes.toFixed(1)} ${sizes[unit]}`;
}
