/**
 * Ports for servers that tests start, without two tests ever being given the same.
 *
 * A port that was free a moment ago may be taken when the server comes to listen on it: by another test
 * file, or as the near end of any connection that is opened meanwhile. So each file that imports this
 * holds a few slots while it runs. A slot is a listener on a port that nobody else uses, and what hangs
 * on it: an offset for localserve and a range of single ports. All lie below the ports from which
 * systems take the near ends of connections.
 *
 * @module
 */

/** What localserve listens on, with offset 0. */
const localservePorts = [1025, 1080, 1081, 1110, 1143, 1443, 1465, 1587, 1993, 1995, 5190];
/** What a server listens on that quickstart set up beside another web server, with offset 0. */
const quickstartPorts = [25, 81, 465, 993, 1080, 8010];

/**
 * Offsets of a block are apart by multiples of 4 up to 20: no two ports of localserve differ by those, so
 * the offsets don't meet. A block ends before the next one's first port, but for ManageSieve's, which is even
 * and no such number from another even port four blocks on.
 */
const blocks = { first: 10_400, size: 1040, count: 16, offsets: 6 };
/** Ports of a block that localserve leaves alone: so many for each of its offsets, from here. */
const single = { first: 1610, count: 34 };
/** Likewise offsets of quickstart's ports, with their own guards. */
const quickstart = { first: 2600, count: 11 };

const slotsOfAFile = 4;

function listens(port: number): Deno.Listener | undefined {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch {
    return undefined;
  }
}

function isFree(port: number): boolean {
  const l = listens(port);
  l?.close();
  return l !== undefined;
}

/** Holds a slot until the file's tests have ended: its guard closes with the isolate. */
function claim(guard: number, ports: readonly number[]): boolean {
  const l = listens(guard);
  if (l === undefined) return false;
  if (!ports.every(isFree)) {
    l.close();
    return false;
  }
  l.unref();
  return true;
}

interface Slot {
  offset: number;
  ports: number[];
  inUse: boolean;
}

function claimSlots(count: number): Slot[] {
  const all = Array.from({ length: blocks.count * blocks.offsets }, (_, i) => {
    const offset = blocks.first + blocks.size * Math.floor(i / blocks.offsets) +
      4 * (i % blocks.offsets);
    const first = offset - 4 * (i % blocks.offsets) + single.first +
      single.count * (i % blocks.offsets);
    return { offset, ports: Array.from({ length: single.count }, (_, k) => first + k) };
  });
  const slots: Slot[] = [];
  const start = Math.floor(Math.random() * all.length);
  for (let i = 0; i < all.length && slots.length < count; i++) {
    const { offset, ports } = all[(start + i) % all.length];
    if (claim(offset + 1000, localservePorts.map((p) => p + offset))) {
      slots.push({ offset, ports, inUse: false });
    }
  }
  if (slots.length < count) throw new Error("no ports left for this file's tests");
  return slots;
}

const slots = claimSlots(slotsOfAFile);
let handedOut = 0;

/** So many ports that nothing listens on. They come round again after 136. */
export function freePorts(count: number): Promise<number[]> {
  const all = slots.flatMap((s) => s.ports);
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries++) {
    if (tries > all.length) throw new Error("no port left for this file's tests");
    const port = all[handedOut++ % all.length];
    if (isFree(port)) ports.push(port);
  }
  return Promise.resolve(ports);
}

/** An offset for a localserve, this file's own until it is given back. */
export function takeOffset(): number {
  const slot = slots.find((s) => !s.inUse && localservePorts.every((p) => isFree(p + s.offset)));
  if (slot === undefined) throw new Error(`more than ${slotsOfAFile} localserves at a time`);
  slot.inUse = true;
  return slot.offset;
}

/** Gives an offset back. */
export function returnOffset(offset: number): void {
  for (const s of slots) if (s.offset === offset) s.inUse = false;
}

/** An offset for a server that quickstart sets up with `-existing-webserver`. */
export function quickstartOffset(): number {
  for (let i = 0; i < quickstart.count; i++) {
    const offset = quickstart.first + 2 * i;
    if (claim(offset, quickstartPorts.map((p) => p + offset))) return offset;
  }
  throw new Error("no ports left for a server that quickstart sets up");
}
