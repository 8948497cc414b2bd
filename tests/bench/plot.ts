/** Curves on logarithmic axes as an SVG that reads well on light and dark pages. @module */

export interface Curve {
  name: string;
  points: [x: number, y: number][];
}

const width = 760;
const height = 420;
const left = 70;
const right = 200;
const top = 50;
const bottom = 50;
const colours = [
  ...["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7"],
  ...["#a463f2", "#97bbf5", "#9c6b4e", "#9498a0", "#0a9396"],
];

/** Draws the curves. All values must be above 0. */
export function plot(title: string, x: string, y: string, curves: readonly Curve[]): string {
  const all = curves.flatMap((c) => c.points);
  const range = (i: 0 | 1): [number, number] => {
    const values = all.map((p) => Math.log10(p[i]));
    return [Math.floor(Math.min(...values)), Math.max(1, Math.ceil(Math.max(...values)))];
  };
  const [x0, x1] = range(0);
  const [y0, y1] = range(1);
  const px = (v: number) => left + (Math.log10(v) - x0) / (x1 - x0) * (width - left - right);
  const py = (v: number) =>
    height - bottom - (Math.log10(v) - y0) / (y1 - y0) * (height - top - bottom);
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" rx="8" fill="#ffffff"/>`,
    `<text x="${left}" y="28" font-size="15" font-weight="600" fill="#222">${title}</text>`,
  ];
  for (let e = y0; e <= y1; e++) {
    const at = py(10 ** e).toFixed(1);
    out.push(
      `<line x1="${left}" x2="${width - right}" y1="${at}" y2="${at}" stroke="#ddd"/>`,
      `<text x="${left - 8}" y="${Number(at) + 4}" text-anchor="end" fill="#555">${
        label(e)
      } ${y}</text>`,
    );
  }
  for (let e = x0; e <= x1; e++) {
    const at = px(10 ** e).toFixed(1);
    out.push(
      `<line x1="${at}" x2="${at}" y1="${top}" y2="${height - bottom}" stroke="#eee"/>`,
      `<text x="${at}" y="${height - bottom + 18}" text-anchor="middle" fill="#555">${
        label(e)
      }</text>`,
    );
  }
  out.push(
    `<text x="${(left + width - right) / 2}" y="${
      height - 12
    }" text-anchor="middle" fill="#555">${x}</text>`,
  );
  // Names beside the ends of their curves, none upon another.
  const names = curves.map((c, i) => ({ c, i, y: py(c.points[c.points.length - 1][1]) }))
    .sort((a, b) => a.y - b.y);
  for (let k = 1; k < names.length; k++) names[k].y = Math.max(names[k].y, names[k - 1].y + 15);
  for (const { c, i, y: at } of names) {
    const colour = colours[i % colours.length];
    const line = c.points.map(([a, b]) => `${px(a).toFixed(1)},${py(b).toFixed(1)}`).join(" ");
    const [ex, ey] = c.points[c.points.length - 1];
    out.push(
      `<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...c.points.map(([a, b]) =>
        `<circle cx="${px(a).toFixed(1)}" cy="${py(b).toFixed(1)}" r="3" fill="${colour}"/>`
      ),
      `<line x1="${px(ex).toFixed(1)}" y1="${py(ey).toFixed(1)}" x2="${width - right + 12}" y2="${
        at.toFixed(1)
      }" stroke="${colour}" stroke-dasharray="2 2"/>`,
      `<text x="${width - right + 16}" y="${(at + 4).toFixed(1)}" fill="#222">${c.name}</text>`,
    );
  }
  out.push("</svg>", "");
  return out.join("\n");
}

function label(exponent: number): string {
  return exponent < 0 ? (10 ** exponent).toFixed(-exponent) : (10 ** exponent).toLocaleString("en");
}
