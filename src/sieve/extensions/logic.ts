/** Tests that combine tests, and constants (RFC 5228 §5). @module */
import type { TestDefinition } from "../check/definition.ts";

export const logicTests: readonly TestDefinition[] = [
  { name: "true", compile: () => () => true },
  { name: "false", compile: () => () => false },
  {
    name: "not",
    tests: "one",
    compile: (_c, args) => {
      const [test] = args.tests;
      return (run) => {
        run.spend(1);
        return !test(run);
      };
    },
  },
  {
    name: "allof",
    tests: "some",
    compile: (_c, { tests }) => (run) => {
      run.spend(1);
      return tests.every((t) => t(run));
    },
  },
  {
    name: "anyof",
    tests: "some",
    compile: (_c, { tests }) => (run) => {
      run.spend(1);
      return tests.some((t) => t(run));
    },
  },
];
