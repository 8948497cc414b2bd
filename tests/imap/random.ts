/** What the randomised tests share. */

/** Random whole numbers below a bound, the same for the same seed. */
export function randomFrom(start: number): (below: number) => number {
  let x = start >>> 0 || 1;
  return (below) => {
    x ^= x << 13;
    x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    return x % below;
  };
}

/** The numbers of a set such as 1:3,7. */
export function expandSet(set: string): number[] {
  return set.split(",").flatMap((r) => {
    const [a, b = a] = r.split(":").map(Number);
    return Array.from({ length: b - a + 1 }, (_, i) => a + i);
  });
}
