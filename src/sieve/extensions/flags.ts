/**
 * Flags of messages (RFC 5232).
 *
 * @module
 */
import type { Args, Checker, CommandDefinition, TestDefinition } from "../check/definition.ts";
import { compileMatcher, matchTags } from "../check/matching.ts";
import { constant } from "../language/text.ts";
import type { Run } from "../run/run.ts";

const system = ["\\seen", "\\answered", "\\flagged", "\\deleted", "\\draft"];
const keyword = /^[^\s(){%*"\\\][\p{Cc}\u0080-\u{10ffff}]+$/u;
const longest = 100;
const most = 200;

function isFlag(s: string): boolean {
  return s.length <= longest &&
    (s.startsWith("\\") ? system.includes(s.toLowerCase()) : keyword.test(s));
}

/** Flags of space-separated lists, each once; invalid ones are left out. */
export function cleanFlags(run: Run, lists: readonly string[]): string[] {
  const flags = new Map<string, string>();
  for (const f of lists.flatMap((l) => l.split(/[ \t\r\n]+/))) {
    if (f === "") continue;
    if (!isFlag(f)) {
      run.warn(`${JSON.stringify(f.slice(0, longest))} can't be a flag; it is left out`);
      continue;
    }
    const key = f.toLowerCase();
    if (!flags.has(key) && flags.size < most) flags.set(key, f);
  }
  return [...flags.values()];
}

function checkFlags(checker: Checker, args: Args, i: number): void {
  for (const { at, text } of args.strings(i)) {
    const known = constant(text);
    if (known === undefined || isFlag(known)) continue;
    for (const f of known.split(/\s+/)) {
      if (f !== "" && !isFlag(f)) {
        checker.warn(at, `${JSON.stringify(f.slice(0, longest))} can't be a flag`);
      }
    }
  }
}

/** The name of the variable that holds flags; undefined for the internal one. */
function compileVariable(checker: Checker, args: Args): string | undefined {
  if (!args.given(0)) return undefined;
  const at = args.positionalAt(0);
  if (!checker.requires("variables")) {
    checker.error(at, 'flags in a variable need require "variables"');
  }
  const name = constant(args.string(0))?.toLowerCase();
  if (name === undefined || !/^(?:global\.)?[a-z_]\w*$/.test(name)) {
    checker.error(at, "this can't be the name of a variable");
    return undefined;
  }
  if (name.startsWith("global.") && !checker.requires("include")) {
    checker.error(at, 'a global variable needs require "include"');
  }
  return name;
}

function flagsIn(run: Run, variable: string | undefined): string[] {
  return variable === undefined ? run.flags ?? [] : cleanFlags(run, [run.variable(variable)]);
}

function change(
  name: string,
  combine: (old: string[], given: string[]) => string[],
): CommandDefinition {
  return {
    name,
    extension: "imap4flags",
    positional: ["string", "strings"],
    optionalFirst: true,
    compile(checker, args) {
      const variable = compileVariable(checker, args);
      checkFlags(checker, args, 1);
      const texts = args.strings(1).map((t) => t.text);
      return (run) => {
        const flags = combine(flagsIn(run, variable), cleanFlags(run, run.texts(texts)));
        if (variable === undefined) run.flags = flags;
        else run.setVariable(variable, flags.join(" "));
        if (run.context.trace) run.trace(`${name}: flags are now ${flags.join(" ") || "none"}`);
        return undefined;
      };
    },
  };
}

const without = (flags: string[], gone: string[]) => {
  const keys = new Set(gone.map((f) => f.toLowerCase()));
  return flags.filter((f) => !keys.has(f.toLowerCase()));
};

export const flagCommands: readonly CommandDefinition[] = [
  change("setflag", (_old, given) => given),
  change("addflag", (old, given) => [...old, ...without(given, old)].slice(0, most)),
  change("removeflag", without),
];

const hasflag: TestDefinition = {
  name: "hasflag",
  extension: "imap4flags",
  tags: matchTags,
  positional: ["strings", "strings"],
  optionalFirst: true,
  compile(checker, args) {
    const variables = args.strings(0).map(({ at, text }) => {
      if (!checker.requires("variables")) {
        checker.error(at, 'flags in a variable need require "variables"');
      }
      const name = constant(text)?.toLowerCase();
      if (name === undefined || !/^(?:global\.)?[a-z_]\w*$/.test(name)) {
        checker.error(at, "this can't be the name of a variable");
      }
      return name ?? "";
    });
    // RFC 5232 §4: a key may contain several flags, each searched separately.
    const keys = args.strings(1).flatMap(({ at, text }) => {
      const words = constant(text)?.split(/\s+/).filter((w) => w !== "");
      return words && words.length > 1 ? words.map((text) => ({ at, text })) : [{ at, text }];
    });
    const matcher = compileMatcher(checker, args, keys);
    const named = args.given(0);
    return (run) => {
      run.spend(1);
      const lists = named ? variables.map((v) => flagsIn(run, v)) : [flagsIn(run, undefined)];
      return matcher.any(run, lists.flat());
    };
  },
};

export const flagTests: readonly TestDefinition[] = [hasflag];
