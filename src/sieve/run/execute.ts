/**
 * Running scripts on a message, one after the other, to one result.
 *
 * @module
 */
import { runBlock } from "./control.ts";
import { Run, scopeOf, type SieveContext, SieveRuntimeError, type SieveScript } from "./run.ts";
import { type Action, keptAfter, type SieveResult } from "./types.ts";

/**
 * Runs scripts in turn; the first one that doesn't keep the message, by implicit or explicit keep, is the last.
 * Yields when others should get a turn. Nothing is carried out: the result lists the actions.
 */
export function* executeSteps(
  scripts: readonly SieveScript[],
  context: SieveContext,
): Generator<void, SieveResult> {
  const run = new Run(context);
  try {
    for (const [i, script] of scripts.entries()) {
      // A script that keeps the message passes it to the next one.
      const left = run.actions.filter((a) => a.kind !== "keep");
      if (i > 0) run.actions.splice(0, run.actions.length, ...left);
      run.scope = scopeOf(script, 0);
      run.captures = [];
      yield* runBlock(run, script.commands);
      if (!run.implicitKeep && !run.has("keep")) break;
      run.implicitKeep = true;
    }
  } catch (err) {
    if (!(err instanceof SieveRuntimeError)) throw err;
    const error = {
      script: run.scope.script,
      ...run.scope.place(run.offset),
      message: err.message,
    };
    return keptAfter(error, { warnings: run.warnings, steps: run.steps });
  }
  return finished(run);
}

function keepAction(run: Run): Action {
  return {
    kind: "keep",
    line: 0,
    script: run.scope.script,
    flags: run.flags,
    edited: run.message.pieces(),
    implicit: true,
  };
}

/** Duplicate actions count once: mailboxes and addresses get a message once (RFC 5228 §2.10.3). */
function once(actions: readonly Action[], keepMailbox: string): Action[] {
  const seen = new Map<string, number>();
  const list: Action[] = [];
  for (const a of actions) {
    const key = keyOf(a, keepMailbox);
    const before = key === undefined ? undefined : seen.get(key);
    if (before !== undefined) {
      // The last one's flags are used.
      if (a.kind === "keep" || a.kind === "fileinto") {
        list[before] = { ...a, line: list[before].line };
      }
      continue;
    }
    if (key !== undefined) seen.set(key, list.length);
    list.push(a);
  }
  return list;
}

function mailboxKey(name: string): string {
  return name.toLowerCase() === "inbox" ? "INBOX" : name;
}

function keyOf(action: Action, keepMailbox: string): string | undefined {
  switch (action.kind) {
    case "keep":
      return "keep";
    case "discard":
      return "discard";
    case "fileinto": {
      const { mailbox, specialUse, mailboxId } = action.filing;
      const name = mailboxKey(mailbox);
      if (name === keepMailbox && specialUse === undefined && mailboxId === undefined) {
        return "keep";
      }
      return JSON.stringify(["fileinto", name, specialUse ?? null, mailboxId ?? null]);
    }
    case "redirect":
      return JSON.stringify(["redirect", action.redirect.address.toLowerCase()]);
    case "redirectToList":
      return JSON.stringify(["list", action.list]);
    default:
      return undefined;
  }
}

function finished(run: Run): SieveResult {
  const actions = once(run.actions, mailboxKey(run.context.keepMailbox ?? "INBOX"));
  const implicit = run.implicitKeep && !actions.some((a) => a.kind === "keep");
  if (implicit) {
    actions.push(keepAction(run));
    run.context.trace?.(0, "keep, as nothing else was done with the message");
  }
  return {
    actions,
    implicitKeep: implicit,
    remembered: run.remembered,
    error: undefined,
    warnings: run.warnings,
    steps: run.steps,
  };
}

/** Runs scripts without a pause. */
export function executeSieve(scripts: readonly SieveScript[], context: SieveContext): SieveResult {
  const steps = executeSteps(scripts, context);
  for (;;) {
    const r = steps.next();
    if (r.done) return r.value;
  }
}

/** Runs scripts, giving way to other work every few milliseconds. */
export async function executeSieveAsync(
  scripts: readonly SieveScript[],
  context: SieveContext,
): Promise<SieveResult> {
  const steps = executeSteps(scripts, context);
  for (;;) {
    const r = steps.next();
    if (r.done) return r.value;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
