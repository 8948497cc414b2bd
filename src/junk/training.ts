/**
 * When a message is trained, so that each is trained and untrained exactly once per state: its flags give the
 * desired state, and the store keeps the trained state.
 *
 * @module
 */

import { compileRegExp } from "../config/sconf/regexp.ts";

/** What a message was trained as, stored with the message. */
export const Trained = { No: 0, Ham: 1, Spam: 2 } as const;
export type TrainedState = typeof Trained[keyof typeof Trained];

/** The steps, in this order, from one state to another. */
export interface TrainingSteps {
  /** True: untrain as ham; false: untrain as spam. */
  untrain?: boolean;
  /** True: train as ham; false: train as spam. */
  train?: boolean;
  /** State to store. */
  state: TrainedState;
}

/**
 * Steps for a message, or undefined if there is nothing to do. Both flags together mean nothing. An expunged
 * message stays trained: deleting it does not make it less ham or spam.
 * @param trainable false for messages that can't be parsed
 */
export function trainingSteps(
  flags: { junk: boolean; notJunk: boolean },
  trained: TrainedState,
  trainable = true,
): TrainingSteps | undefined {
  const state: TrainedState = !trainable || flags.junk === flags.notJunk
    ? Trained.No
    : flags.junk
    ? Trained.Spam
    : Trained.Ham;
  if (state === trained) return undefined;
  const steps: TrainingSteps = { state };
  if (trained !== Trained.No) steps.untrain = trained === Trained.Ham;
  if (state !== Trained.No) steps.train = state === Trained.Ham;
  return steps;
}

/** AutomaticJunkFlags of an account's configuration. */
export interface AutomaticJunkFlags {
  Enabled: boolean;
  /** Regular expressions over the mailbox name in lower case; "" for none. */
  JunkMailboxRegexp: string;
  NeutralMailboxRegexp: string;
  NotJunkMailboxRegexp: string;
}

/** Quickstart's configuration. */
export const defaultAutomaticJunkFlags: Readonly<AutomaticJunkFlags> = {
  Enabled: true,
  JunkMailboxRegexp: "^(junk|spam)",
  NeutralMailboxRegexp: "^(inbox|neutral|postmaster|dmarc|tlsrpt|rejects)",
  NotJunkMailboxRegexp: "",
};

/**
 * Junk flags by name of mailbox: messages moved, copied or delivered there get what the function returns,
 * "neither" clearing both; undefined leaves them unchanged. Junk is checked first, then neutral, then not-junk;
 * without an expression for not-junk, all other mailboxes are not-junk.
 * @throws RegExpSyntaxError for an invalid expression
 */
export function automaticJunkFlags(
  flags: AutomaticJunkFlags,
): (mailbox: string) => "junk" | "notJunk" | "neither" | undefined {
  if (!flags.Enabled) return () => undefined;
  const compile = (s: string) => s === "" ? undefined : compileRegExp(s);
  const junk = compile(flags.JunkMailboxRegexp);
  const neutral = compile(flags.NeutralMailboxRegexp);
  const notJunk = compile(flags.NotJunkMailboxRegexp);
  return (mailbox) => {
    const name = mailbox.toLowerCase();
    if (junk?.test(name)) return "junk";
    if (neutral?.test(name)) return "neither";
    if (!notJunk || notJunk.test(name)) return "notJunk";
    return undefined;
  };
}
