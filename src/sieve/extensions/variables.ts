/** Variables: `set` and `string` (RFC 5229), `:encodeurl` (RFC 5435 §6), `:quoteregex` (the regex draft). @module */
import type {
  Args,
  Checker,
  CommandDefinition,
  Tags,
  TestDefinition,
} from "../check/definition.ts";
import { compileMatcher, matchTags } from "../check/matching.ts";
import { constant } from "../language/text.ts";
import { cut, type Run } from "../run/run.ts";

const first = (s: string, change: (c: string) => string) => {
  const [c] = s;
  return c === undefined ? s : change(c) + s.slice(c.length);
};
const encoder = new TextEncoder();

/** Modifiers, in descending order of precedence (RFC 5229 §4.1). */
const modifiers: Readonly<
  Record<string, { rank: number; extension?: string; apply: (s: string) => string }>
> = {
  lower: { rank: 40, apply: (s) => s.toLowerCase() },
  upper: { rank: 40, apply: (s) => s.toUpperCase() },
  lowerfirst: { rank: 30, apply: (s) => first(s, (c) => c.toLowerCase()) },
  upperfirst: { rank: 30, apply: (s) => first(s, (c) => c.toUpperCase()) },
  quotewildcard: { rank: 20, apply: (s) => s.replace(/[*?\\]/g, "\\$&") },
  quoteregex: {
    rank: 20,
    extension: "regex",
    apply: (s) => s.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"),
  },
  encodeurl: { rank: 15, extension: "enotify", apply: encodeUrl },
  length: { rank: 10, apply: (s) => String([...s].length) },
};

function encodeUrl(s: string): string {
  let out = "";
  for (const b of encoder.encode(s)) {
    const c = String.fromCharCode(b);
    out += /[A-Za-z0-9._~-]/.test(c) ? c : `%${b.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

/** Tags of the modifiers. */
export const modifierTags: Tags = Object.fromEntries(
  Object.entries(modifiers).map(([n, m]) => [n, { extension: m.extension }]),
);

/** Checks the given modifiers; returns a function that applies them in order. */
export function compileModifiers(checker: Checker, args: Args): (run: Run, s: string) => string {
  const given = Object.keys(modifiers).filter((m) => args.has(m))
    .sort((x, y) => modifiers[y].rank - modifiers[x].rank);
  given.forEach((m, i) => {
    const before = given[i - 1];
    if (before && modifiers[before].rank === modifiers[m].rank) {
      checker.error(args.tagAt(m), `:${before} and :${m} exclude each other`);
    }
  });
  return (run, s) => {
    for (const m of given) {
      s = cut(modifiers[m].apply(s), run.limits.variableLength);
      run.spend(1 + (s.length >> 6));
    }
    return s;
  };
}

/** The name of a variable that a command sets. */
export function compileTarget(checker: Checker, args: Args, i: number): string {
  const name = constant(args.string(i))?.toLowerCase();
  const at = args.positionalAt(i);
  if (name === undefined || !/^(?:[a-z_]\w*\.)*[a-z_]\w*$/.test(name)) {
    checker.error(
      at,
      "this can't be the name of a variable: it needs letters, digits and _, a digit not first",
    );
  } else if (name.includes(".") && !(checker.requires("include") && /^global\.\w+$/.test(name))) {
    checker.error(at, `there are no variables such as ${name} that can be set`);
  }
  return name ?? "";
}

const set: CommandDefinition = {
  name: "set",
  extension: "variables",
  tags: modifierTags,
  positional: ["string", "string"],
  compile(checker, args) {
    const name = compileTarget(checker, args, 0);
    const modify = compileModifiers(checker, args);
    const value = args.string(1);
    return (run) => {
      const s = modify(run, run.text(value));
      run.setVariable(name, s);
      if (run.context.trace) run.trace(`set ${name} to ${JSON.stringify(s.slice(0, 200))}`);
      return undefined;
    };
  },
};

const string: TestDefinition = {
  name: "string",
  extension: "variables",
  tags: matchTags,
  positional: ["strings", "strings"],
  compile(checker, args) {
    const sources = args.strings(0).map((s) => s.text);
    const matcher = compileMatcher(checker, args, args.strings(1));
    return (run) => {
      const values = run.texts(sources);
      if (matcher.match.type === "count") {
        return matcher.count(
          run,
          values.filter((v) => v !== "").length,
        );
      }
      return matcher.any(run, values);
    };
  },
};

export const variableCommands: readonly CommandDefinition[] = [set];
export const variableTests: readonly TestDefinition[] = [string];
