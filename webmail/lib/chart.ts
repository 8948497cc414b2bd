/**
 * Small charts in SVG: a value over a day, and passes and failures per day. Each has a sentence that says what it
 * shows, for screen readers.
 *
 * @module
 */
import { el, svg } from "./dom.ts";
import { numberText } from "./format.ts";

/** A value over time, without axes. */
export function sparkline(
  points: readonly number[],
  o: {
    kind: "rate" | "level";
    label: string;
    bad?: boolean;
    /** How many points fit; with fewer, the line starts further along. */
    room: number;
  },
): SVGElement {
  const width = 240;
  const height = 36;
  const most = Math.max(...points, 0);
  const n = Math.max(points.length, o.room, 2);
  const first = n - points.length;
  const y = (v: number) => height - (most === 0 ? 0 : v / most * (height - 2));
  const attributes = {
    viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: "none",
    class: `sparkline${o.bad ? " bad" : ""}`,
    role: "img",
    "aria-label": o.label,
  };
  if (o.kind === "rate") {
    const w = width / n;
    const bars = points.map((v, i) =>
      v === 0
        ? ""
        : `M${((first + i) * w).toFixed(1)} ${height}V${Math.min(y(v), height - 1.5).toFixed(1)}h${
          Math.max(w - .2, .7).toFixed(1)
        }V${height}z`
    ).join("");
    return svg("svg", attributes, svg("path", { d: bars, class: "fill" }));
  }
  const x = (i: number) => ((first + i) * width / (n - 1)).toFixed(1);
  const line = points.map((v, i) => `${x(i)} ${y(v).toFixed(1)}`).join("L");
  return svg(
    "svg",
    attributes,
    svg("path", { d: `M${x(0)} ${height}L${line}V${height}z`, class: "area" }),
    svg("path", { d: `M${line}`, class: "line" }),
  );
}

/** The top of a scale: not below the value, and with a whole number as its half, unless it is 1. */
function roundUp(n: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
  return [1, 2, 4, 6, 8, 10].map((f) => f * power).find((v) => v >= n)!;
}

const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });

/** Passes and failures by day, as stacked bars. */
export function dayChart(
  days: readonly { day: number; pass: number; fail: number }[],
  o: { pass: string; fail: string; what: string },
): HTMLElement {
  const width = 720;
  const height = 150;
  const left = 44;
  const bottom = 20;
  const top = 8;
  const most = roundUp(Math.max(...days.map((d) => d.pass + d.fail), 1));
  const step = (width - left) / days.length;
  const y = (v: number) => top + (height - bottom - top) * (1 - v / most);
  const bar = (i: number, from: number, to: number, kind: string) =>
    svg("rect", {
      x: left + i * step + step * .12,
      y: y(to),
      width: step * .76,
      height: Math.max(0, y(from) - y(to)),
      class: kind,
    });
  const sum = (of: (d: typeof days[number]) => number) => days.reduce((n, d) => n + of(d), 0);
  const label = `${o.what} of ${days.length} days: ${numberText(sum((d) => d.pass))} ${o.pass}, ` +
    `${numberText(sum((d) => d.fail))} ${o.fail}`;
  const every = Math.ceil(days.length / 8);
  return el(
    "figure",
    { class: "chart" },
    svg(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
      [0, most / 2, most].map((v) => [
        svg("line", { x1: left, x2: width, y1: y(v), y2: y(v), class: "grid" }),
        v === most / 2 && most < 2
          ? null
          : svg("text", { x: left - 6, y: y(v) + 4, class: "axis end" }, numberText(v)),
      ]),
      days.map((d, i) => [
        svg(
          "g",
          {},
          svg(
            "title",
            {},
            `${day.format(d.day)}: ${numberText(d.pass)} ${o.pass}, ${
              numberText(d.fail)
            } ${o.fail}`,
          ),
          // Area over which the pointer shows the figures of the day.
          svg("rect", {
            x: left + i * step,
            y: top,
            width: step,
            height: height - top - bottom,
            class: "hover",
          }),
          bar(i, 0, d.pass, "pass"),
          bar(i, d.pass, d.pass + d.fail, "fail"),
        ),
        i % every === 0
          ? svg(
            "text",
            { x: left + (i + .5) * step, y: height - 5, class: "axis middle" },
            day.format(d.day),
          )
          : null,
      ]),
    ),
    el(
      "figcaption",
      {},
      el("span", { class: "key pass" }, o.pass),
      el("span", { class: "key fail" }, o.fail),
    ),
  );
}

/** A bar of passes and failures. */
export function shareBar(pass: number, fail: number): HTMLElement {
  const share = (n: number) => `width:${pass + fail === 0 ? 0 : n * 100 / (pass + fail)}%`;
  const text = `${numberText(pass)} passed, ${numberText(fail)} failed`;
  return el(
    "span",
    { class: "bar", role: "img", "aria-label": text, title: text },
    el("i", { class: "pass", style: share(pass) }),
    el("i", { class: "fail", style: share(fail) }),
  );
}
