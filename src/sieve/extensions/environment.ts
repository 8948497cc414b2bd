/** Tests of a script's environment (RFC 5183), and of supported extensions (RFC 5463). @module */
import type { CommandDefinition, TestDefinition } from "../check/definition.ts";
import { compileMatcher, matchTags } from "../check/matching.ts";
import { constant } from "../language/text.ts";
import { SieveRuntimeError } from "../run/run.ts";

const environment: TestDefinition = {
  name: "environment",
  extension: "environment",
  tags: matchTags,
  positional: ["string", "strings"],
  compile(checker, args) {
    const name = args.string(0);
    const matcher = compileMatcher(checker, args, args.strings(1));
    return (run) => {
      run.spend(1);
      const value = run.context.environment(run.text(name).toLowerCase());
      // RFC 5183 §4: an unknown item matches nothing.
      if (value === undefined) return false;
      if (matcher.match.type === "count") return matcher.count(run, value === "" ? 0 : 1);
      return matcher.value(run, value);
    };
  },
};

/** @param available whether the test may enable an extension */
export function ihaveTest(available: (name: string) => boolean): TestDefinition {
  return {
    name: "ihave",
    extension: "ihave",
    positional: ["strings"],
    compile(checker, args) {
      const names = args.strings(0).map(({ at, text }) => {
        const name = constant(text);
        if (name === undefined) checker.error(at, "ihave takes no variables");
        return name ?? "";
      });
      const all = names.every(available);
      if (all) { for (const n of names) checker.allow(n); }
      return (run) => {
        run.spend(1);
        return all;
      };
    },
  };
}

const error: CommandDefinition = {
  name: "error",
  extension: "ihave",
  positional: ["string"],
  compile(_c, args) {
    const text = args.string(0);
    return (run) => {
      throw new SieveRuntimeError(run.text(text).slice(0, 500));
    };
  },
};

export const environmentTests: readonly TestDefinition[] = [environment];
export const environmentCommands: readonly CommandDefinition[] = [error];
