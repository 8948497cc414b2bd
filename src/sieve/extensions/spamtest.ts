/** `spamtest` and `virustest` (RFC 5235), `valid_ext_list` (RFC 6134). @module */
import type { TestDefinition } from "../check/definition.ts";
import { compileMatcher, matchTags } from "../check/matching.ts";

const spamtest: TestDefinition = {
  name: "spamtest",
  extension: ["spamtest", "spamtestplus"],
  tags: { ...matchTags, percent: { extension: "spamtestplus" } },
  positional: ["string"],
  compile(checker, args) {
    const percent = args.has("percent");
    const matcher = compileMatcher(checker, args, [{
      at: args.positionalAt(0),
      text: args.string(0),
    }]);
    return (run) => {
      run.spend(1);
      const score = run.context.spamScore;
      // RFC 5235 §3.1: 0 for an untested message; 1 is surely ham, 10 surely spam.
      const value = score === undefined
        ? 0
        : percent
        ? Math.round(score * 100)
        : 1 + Math.round(score * 9);
      return matcher.match.type === "count"
        ? matcher.count(run, score === undefined ? 0 : 1)
        : matcher.value(run, String(value));
    };
  },
};

const virustest: TestDefinition = {
  name: "virustest",
  extension: "virustest",
  tags: matchTags,
  positional: ["string"],
  compile(checker, args) {
    const matcher = compileMatcher(checker, args, [{
      at: args.positionalAt(0),
      text: args.string(0),
    }]);
    return (run) => {
      run.spend(1);
      const { virus } = run.context;
      return matcher.match.type === "count"
        ? matcher.count(run, virus === undefined ? 0 : 1)
        : matcher.value(run, String(virus ?? 0));
    };
  },
};

const validList: TestDefinition = {
  name: "valid_ext_list",
  extension: "extlists",
  positional: ["strings"],
  compile(_c, args) {
    const names = args.strings(0).map((n) => n.text);
    return (run) => {
      run.spend(names.length);
      return run.texts(names).every((n) => run.context.inList(n, "") !== undefined);
    };
  },
};

export const resultTests: readonly TestDefinition[] = [spamtest, virustest, validList];
