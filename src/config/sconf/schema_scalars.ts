/** Types of single values in a schema: texts, words, numbers, durations. @module */
import { formatDuration, parseDuration } from "./duration.ts";
import { sameValue, type TextCheck, type Type } from "./schema.ts";
import { type Node, quoted } from "./sconf.ts";

interface ScalarOptions<T> {
  expected: string;
  parse(text: string): T | undefined;
  format(value: T): string;
  zero: T;
}

function scalar<T>(options: ScalarOptions<T>): Type<T> {
  const { expected } = options;
  const type: Type<T> = {
    expected,
    shape: { kind: "scalar" },
    read(node, line, report) {
      if (node.kind !== "text") {
        report(line, `expected ${expected}, got a block of indented lines`);
        return options.zero;
      }
      const value = options.parse(node.text);
      if (value === undefined) {
        report(
          line,
          `expected ${expected}, got ${node.text === "" ? "nothing" : quoted(node.text)}`,
        );
        return options.zero;
      }
      return value;
    },
    zero: () => options.zero,
    toNode: (value) => ({ kind: "text", text: options.format(value) }),
    update: (old, value) => keepOrMake(type, old, value),
  };
  return type;
}

function keepOrMake<T>(type: Type<T>, old: Node, value: T): Node {
  return sameValue(type, old, value) ? old : type.toNode(value);
}

/** A line of text. An empty one is not checked. */
export function text(check?: TextCheck, expected = "a text"): Type<string> {
  const type: Type<string> = {
    expected,
    shape: { kind: "scalar" },
    read(node, line, report) {
      if (node.kind !== "text") {
        report(line, `expected ${expected}, got a block of indented lines`);
        return "";
      }
      const problem = node.text === "" ? undefined : check?.(node.text);
      if (problem) report(line, `${quoted(node.text)} ${problem}`);
      return node.text;
    },
    zero: () => "",
    toNode: (value) => ({ kind: "text", text: value }),
    update: (old, value) => keepOrMake(type, old, value),
  };
  return type;
}

/** One of some words. */
export function word<const W extends string>(words: readonly W[]): Type<W | ""> {
  const list = words.map((w) => JSON.stringify(w)).join(", ");
  return text(
    (s) => (words as readonly string[]).includes(s) ? undefined : `is not one of ${list}`,
    `one of ${list}`,
  ) as Type<W | "">;
}

/** `true` or `false`. */
export const bool: Type<boolean> = scalar({
  expected: "true or false",
  parse: (s) => s === "true" ? true : s === "false" ? false : undefined,
  format: String,
  zero: false,
});

/** A whole number. */
export function int(
  min: number = -Number.MAX_SAFE_INTEGER,
  max: number = Number.MAX_SAFE_INTEGER,
): Type<number> {
  const range = max < Number.MAX_SAFE_INTEGER
    ? ` from ${min} to ${max}`
    : min > -Number.MAX_SAFE_INTEGER
    ? ` of at least ${min}`
    : "";
  return scalar({
    expected: `a whole number${range}`,
    parse(s) {
      const n = /^[+-]?[0-9]{1,16}$/.test(s) ? Number(s) : NaN;
      return n >= min && n <= max ? n + 0 : undefined;
    },
    format: String,
    zero: 0,
  });
}

/** A number with a fraction. */
export function float(min: number, max: number): Type<number> {
  return scalar({
    expected: `a number from ${min} to ${max}`,
    parse(s) {
      const n = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$/.test(s)
        ? Number(s)
        : NaN;
      return n >= min && n <= max ? n : undefined;
    },
    format: String,
    zero: 0,
  });
}

/** A duration, in milliseconds. */
export const duration: Type<number> = scalar({
  expected: "a duration such as 15s, 30m or 1h30m",
  parse(s) {
    const ms = parseDuration(s);
    return ms !== undefined && ms >= 0 ? ms : undefined;
  },
  format: formatDuration,
  zero: 0,
});
