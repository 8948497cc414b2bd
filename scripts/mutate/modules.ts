/**
 * Which tests are a folder's own: the bugs that are planted in it have to be caught by these alone.
 *
 * @module
 */

/** Folders of src, and the folders or files of tests that are theirs. */
export const modules: Readonly<Record<string, readonly string[]>> = {
  // The original's files are read by rooms of the store; moving in has their tests.
  store: [
    "tests/store",
    "tests/moving/bolt_test.ts",
    "tests/moving/original_test.ts",
    "tests/moving/cyrus_test.ts",
  ],
  delivery: ["tests/delivery"],
  mail: ["tests/mail"],
  queue: ["tests/queue"],
  senderauth: ["tests/senderauth"],
  "imap/parse": ["tests/imap/parse"],
  smtp: ["tests/smtp"],
  sasl: ["tests/sasl"],
  config: ["tests/config"],
  "web/login": ["tests/web/login"],
  // What programs ask of it is tried as a whole, over HTTP.
  "web/catcher": ["tests/web/catcher", "tests/interop/mailpit_api_test.ts"],
  nodes: ["tests/nodes", "tests/serve/nodes_test.ts", "tests/serve/serve_nodes_test.ts"],
};

/** The module of a path below src, such as "store/messages": the longest that is named, or its namesake in tests. */
export function testsOf(folder: string): readonly string[] {
  const known = Object.keys(modules).filter((m) => folder === m || folder.startsWith(`${m}/`));
  const module = known.sort((a, b) => b.length - a.length)[0];
  return module === undefined ? [`tests/${folder}`] : modules[module];
}
