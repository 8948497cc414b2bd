/** Which flags lead to which training. */
import assert from "node:assert/strict";
import {
  automaticJunkFlags,
  defaultAutomaticJunkFlags,
  Trained,
  trainingSteps,
} from "../../src/junk/mod.ts";

const { No, Ham, Spam } = Trained;

Deno.test("each state is trained once, and taken back before the other is trained", () => {
  const f = (junk: boolean, notJunk: boolean) => ({ junk, notJunk });
  assert.deepEqual(trainingSteps(f(true, false), No), { train: false, state: Spam });
  assert.deepEqual(trainingSteps(f(false, true), No), { train: true, state: Ham });
  assert.equal(trainingSteps(f(false, false), No), undefined);
  assert.equal(trainingSteps(f(true, true), No), undefined);
  assert.equal(trainingSteps(f(true, false), Spam), undefined);
  assert.equal(trainingSteps(f(false, true), Ham), undefined);
  assert.deepEqual(trainingSteps(f(false, true), Spam), {
    untrain: false,
    train: true,
    state: Ham,
  });
  assert.deepEqual(trainingSteps(f(true, false), Ham), {
    untrain: true,
    train: false,
    state: Spam,
  });
  assert.deepEqual(trainingSteps(f(false, false), Spam), { untrain: false, state: No });
  assert.deepEqual(trainingSteps(f(true, true), Ham), { untrain: true, state: No });
});

Deno.test("a message that can't be parsed is never trained", () => {
  assert.equal(trainingSteps({ junk: true, notJunk: false }, No, false), undefined);
});

Deno.test("automatic junk flags follow the name of the mailbox", () => {
  const flags = automaticJunkFlags(defaultAutomaticJunkFlags);
  const expected: Record<string, string> = {
    Junk: "junk",
    "Spam/2024": "junk",
    Inbox: "neither",
    Rejects: "neither",
    TLSRPT: "neither",
    Neutral: "neither",
    Archive: "notJunk",
    "list/deno": "notJunk",
  };
  for (const [mailbox, want] of Object.entries(expected)) {
    assert.equal(flags(mailbox), want, mailbox);
  }
  const only = automaticJunkFlags({
    ...defaultAutomaticJunkFlags,
    NotJunkMailboxRegexp: "^archive",
  });
  assert.equal(only("Archive/2024"), "notJunk");
  assert.equal(only("Other"), undefined);
  assert.equal(
    automaticJunkFlags({ ...defaultAutomaticJunkFlags, Enabled: false })("Junk"),
    undefined,
  );
  assert.throws(
    () => automaticJunkFlags({ ...defaultAutomaticJunkFlags, JunkMailboxRegexp: "(" }),
    { name: "RegExpSyntaxError" },
  );
});
