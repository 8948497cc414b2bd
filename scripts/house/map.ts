/**
 * The map of the source: levels of folders, and who imports whom, drawn from the imports. `deno task pages` writes
 * docs/map.svg.
 *
 * @module
 */
import { dirname, join, relative } from "node:path";
import { imports, sources } from "./imports.ts";
import { levels } from "./levels.ts";

/** A folder of a level, with all that is in it. */
interface Room {
  name: string;
  files: number;
  /** Names of folders that it imports, and by how many of its files. */
  arrows: Map<string, number>;
  x: number;
  y: number;
  width: number;
}

const page = 1180;
const left = 20;
const height = 44;
const row = 96;

const slashes = (path: string) => path.replaceAll("\\", "/");

function roomOf(names: readonly string[], path: string): string | undefined {
  return names.find((n) => path.startsWith(`${n}/`));
}

/** Reads the folder src, and gives each of its folders its place. */
function read(src: string): Room[] {
  const rooms = new Map<string, Room>();
  for (const name of levels.flat()) {
    rooms.set(name, { name, files: 0, arrows: new Map(), x: 0, y: 0, width: 0 });
  }
  const names = [...rooms.keys()];
  for (const file of sources(src)) {
    const room = rooms.get(roomOf(names, slashes(relative(src, file))) ?? "");
    if (room === undefined) continue;
    room.files++;
    const seen = new Set<string>();
    for (const spec of imports(Deno.readTextFileSync(file))) {
      if (!spec.startsWith(".")) continue;
      const to = roomOf(names, slashes(relative(src, join(dirname(file), spec))));
      if (to !== undefined && to !== room.name) seen.add(to);
    }
    for (const to of seen) room.arrows.set(to, (room.arrows.get(to) ?? 0) + 1);
  }
  for (const [level, folders] of levels.entries()) {
    const total = folders.reduce((n, f) => n + Math.sqrt(rooms.get(f)!.files), 0);
    const gap = 16;
    const room = page - 2 * left - gap * (folders.length - 1);
    let x = left;
    for (const f of folders) {
      const r = rooms.get(f)!;
      r.width = folders.length === 1 ? 260 : Math.max(104, room * Math.sqrt(r.files) / total);
      r.x = folders.length === 1 ? (page - r.width) / 2 : x;
      r.y = 20 + (levels.length - 1 - level) * row;
      x += r.width + gap;
    }
    // Small ones have a least width: all are made narrower until they fit.
    const over = (x - gap) / (page - left);
    if (folders.length > 1 && over > 1) {
      for (const f of folders) {
        const r = rooms.get(f)!;
        r.x = left + (r.x - left) / over;
        r.width /= over;
      }
    }
  }
  return [...rooms.values()];
}

const number = (n: number) => String(Math.round(n * 10) / 10);

function arrow(from: Room, to: Room, files: number): string {
  const [x1, y1] = [from.x + from.width / 2, from.y + height];
  const [x2, y2] = [to.x + to.width / 2, to.y];
  const half = (y2 - y1) / 2;
  const points = [x1, y1, x1, y1 + half, x2, y2 - half, x2, y2].map(number);
  const [a, b, c, d, e, f, g, h] = points;
  const width = number(0.4 + Math.log2(files) / 2.5);
  return `<path d="M${a} ${b}C${c} ${d} ${e} ${f} ${g} ${h}" stroke-width="${width}">` +
    `<title>${from.name} imports ${to.name} in ${files} files</title></path>`;
}

/** The map as SVG. @param root the folder of the project */
export function sourceMap(root: string): string {
  const rooms = read(join(root, "src"));
  const byName = new Map(rooms.map((r) => [r.name, r]));
  const arrows = rooms.flatMap((r) => [...r.arrows].map(([to, n]) => arrow(r, byName.get(to)!, n)));
  const boxes = rooms.map((room) => {
    const x = number(room.x + room.width / 2);
    return `<g><rect x="${number(room.x)}" y="${room.y}" width="${
      number(room.width)
    }" height="${height}" rx="6"/>` +
      `<text x="${x}" y="${room.y + 19}">${room.name}</text>` +
      `<text class="count" x="${x}" y="${room.y + 35}">${room.files} ${
        room.files === 1 ? "file" : "files"
      }</text></g>`;
  });
  const bottom = 40 + levels.length * row - (row - height);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${page} ${bottom}" role="img"`,
    `  aria-label="Folders of src by level, and which imports which" font-family="sans-serif">`,
    "<style>",
    "  svg { background: #fff } path { fill: none; stroke: #3b6ea5; opacity: .35 }",
    "  rect { fill: #eef3f9; stroke: #3b6ea5 } text { font-size: 13px; text-anchor: middle; fill: #14283d }",
    "  .count { font-size: 10px; fill: #48627d }",
    "</style>",
    ...arrows.sort(),
    ...boxes,
    "</svg>",
    "",
  ].join("\n");
}
