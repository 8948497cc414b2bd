/** Including scripts (RFC 6609): `include`, `return`, `global`. @module */
import type { CommandDefinition } from "../check/definition.ts";
import { oneOf } from "../check/matching.ts";
import { runBlock } from "../run/control.ts";
import { constant } from "../language/text.ts";
import { problemText } from "../language/problems.ts";
import { type Run, scopeOf, SieveRuntimeError, type SieveScript, type Signal } from "../run/run.ts";

/** Names of scripts (RFC 5804 §1.6). */
export function isScriptName(name: string): boolean {
  return name !== "" && name.length <= 128 && name.isWellFormed() &&
    !/[\p{Cc}\u2028\u2029]/u.test(name);
}

/** Runs another script with its own variables. */
function* runIncluded(
  run: Run,
  script: SieveScript,
  key: string,
): Generator<void, Signal | undefined> {
  const outer = run.scope;
  const { captures } = run;
  run.scope = scopeOf(script, outer.depth + 1);
  run.includeStack.push(key);
  try {
    const signal = yield* runBlock(run, script.commands);
    // RFC 6609 §3.3: return goes back to the including script; stop ends everything.
    return signal === "stop" ? signal : undefined;
  } finally {
    run.includeStack.pop();
    run.scope = outer;
    run.captures = captures;
  }
}

const include: CommandDefinition = {
  name: "include",
  extension: "include",
  tags: { personal: {}, global: {}, once: {}, optional: {} },
  positional: ["string"],
  compile(checker, args) {
    const where = oneOf(checker, args, ["personal", "global"] as const, "place of scripts") ??
      "personal";
    const text = args.string(0);
    const known = constant(text);
    if (known !== undefined && !isScriptName(known)) {
      checker.error(args.positionalAt(0), "this can't be the name of a script");
    }
    const [once, optional] = [args.has("once"), args.has("optional")];
    return (run) => {
      const name = run.text(text);
      const key = `${where}/${name}`;
      // RFC 6609 §3.2: with :once a script that is being included is skipped without an error.
      if (once && run.included.has(key)) return undefined;
      if (run.includeStack.includes(key)) {
        throw new SieveRuntimeError(`the script ${JSON.stringify(name)} includes itself`);
      }
      if (run.includeStack.length >= run.limits.includeDepth) {
        throw new SieveRuntimeError(
          `scripts are included deeper than ${run.limits.includeDepth} levels`,
        );
      }
      if (++run.includes > run.limits.includes) {
        throw new SieveRuntimeError(`more than ${run.limits.includes} scripts are included`);
      }
      run.spend(20);
      const script = isScriptName(name) ? run.context.include(name, where) : undefined;
      if (script === undefined) {
        if (optional) return undefined;
        throw new SieveRuntimeError(
          `there is no ${where} script ${JSON.stringify(name)} to include`,
        );
      }
      if (Array.isArray(script)) {
        throw new SieveRuntimeError(
          `the script ${JSON.stringify(name)} to include has errors: ${
            problemText(script[0], name)
          }`,
        );
      }
      run.included.add(key);
      run.trace(`include ${JSON.stringify(name)}`);
      return runIncluded(run, script as SieveScript, key);
    };
  },
};

const back: CommandDefinition = {
  name: "return",
  extension: "include",
  compile: () => () => "return",
};

const global: CommandDefinition = {
  name: "global",
  extension: "include",
  positional: ["strings"],
  compile(checker, args) {
    if (!checker.requires("variables")) {
      checker.error(args.at, 'the command global needs require "variables"');
    }
    const names = args.strings(0).map(({ at, text }) => {
      const name = constant(text)?.toLowerCase();
      if (name === undefined || !/^[a-z_]\w*$/.test(name)) {
        checker.error(at, "this can't be the name of a variable");
      }
      return name ?? "";
    });
    return (run) => {
      for (const n of names) run.scope.globals.add(n);
      return undefined;
    };
  },
};

export const includeCommands: readonly CommandDefinition[] = [include, back, global];
