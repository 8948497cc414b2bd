/** Tests that join tests, and constants (RFC 5228 §5). @module */
import type { TestDefinition } from "../check/definition.ts";

export const logicTests: readonly TestDefinition[] = [
  { name: "true", compile: () => () => true },
  { name: "false", compile: () => () => false },
  {
    name: "not",
    tests: "one",
    compile: (_c, a) => {
      const [test] = a.tests;
      return (run) => {
        run.spend(1);
        return !test(run);
      };
    },
  },
  {
    name: "allof",
    tests: "some",
    compile: (_c, a) => (run) => {
      run.spend(1);
      return a.tests.every((t) => t(run));
    },
  },
  {
    name: "anyof",
    tests: "some",
    compile: (_c, a) => (run) => {
      run.spend(1);
      return a.tests.some((t) => t(run));
    },
  },
];
