/**
 * Changes inputs at random, from a seed that can be given again. Inputs that took a new time class or a new
 * outcome are kept as seeds for further ones: a cheap stand-in for coverage.
 */

/** Numbers from a seed (mulberry32), the same on every machine. */
export function random(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const interesting = [
  0,
  1,
  9,
  10,
  13,
  32,
  34,
  39,
  40,
  41,
  44,
  58,
  59,
  60,
  61,
  62,
  64,
  92,
  127,
  128,
  255,
];

/** A changed copy, at most so long. `other` is spliced in at times. */
export function mutate(
  input: Uint8Array,
  other: Uint8Array,
  next: () => number,
  maxLength: number,
): Uint8Array {
  let bytes = [...input];
  const at = () => Math.floor(next() * (bytes.length + 1));
  for (let n = 1 + Math.floor(next() * 6); n > 0; n--) {
    const i = at();
    switch (Math.floor(next() * 8)) {
      case 0:
        bytes[i] = Math.floor(next() * 256);
        break;
      case 1:
        bytes[i] = interesting[Math.floor(next() * interesting.length)];
        break;
      case 2:
        bytes.splice(i, 1 + Math.floor(next() * 8));
        break;
      case 3:
        bytes.splice(i, 0, interesting[Math.floor(next() * interesting.length)]);
        break;
      case 4: {
        // Something again and again: nesting, long lists.
        const part = bytes.slice(i, i + 1 + Math.floor(next() * 20));
        const times = 1 + Math.floor(next() * 50);
        for (let k = 0; k < times && bytes.length < maxLength; k++) bytes.splice(i, 0, ...part);
        break;
      }
      case 5: {
        const from = Math.floor(next() * other.length);
        bytes.splice(i, 0, ...other.slice(from, from + Math.floor(next() * 60)));
        break;
      }
      case 6:
        bytes = bytes.slice(0, i);
        break;
      case 7:
        if (bytes[i] !== undefined) bytes[i] ^= 1 << Math.floor(next() * 8);
        break;
    }
  }
  return Uint8Array.from(bytes.slice(0, maxLength), (b) => b ?? 0);
}
