/** Notifications (RFC 5435), by mail (RFC 5436). @module */
import type { CommandDefinition, TestDefinition } from "../check/definition.ts";
import { compileMatcher, matchTags } from "../check/matching.ts";
import { constant } from "../language/text.ts";
import { oneAddress } from "../message/addresses.ts";
import { mailtoProblem } from "../message/mailto.ts";
import { SieveRuntimeError } from "../run/run.ts";
import { compileFcc, fccTags } from "./filing.ts";

/** Why a method can't be used; undefined if it can. */
function methodProblem(method: string): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(method)?.[1].toLowerCase();
  if (scheme === undefined) return "is no URI";
  if (scheme !== "mailto") return `asks for ${scheme}: only mailto: can be used`;
  return mailtoProblem(method);
}

const shown = (s: string) => JSON.stringify(s.slice(0, 200));

/** RFC 5435 §3.5. */
const optionSyntax = /^[a-z0-9][a-z0-9._-]*=[^\0\r\n]*$/i;

const notify: CommandDefinition = {
  name: "notify",
  extension: "enotify",
  tags: {
    from: { takes: "string" },
    importance: { takes: "string" },
    options: { takes: "strings" },
    message: { takes: "string" },
    ...fccTags,
  },
  positional: ["string"],
  compile(checker, args) {
    const from = args.text("from");
    const importance = args.text("importance");
    const given = args.texts("options") ?? [];
    for (const o of given) {
      const option = constant(o.text);
      if (option !== undefined && !optionSyntax.test(option)) {
        checker.error(o.at, `the option ${shown(option)} isn't NAME=VALUE`);
      }
    }
    const options = given.map((o) => o.text);
    const message = args.text("message");
    const method = args.string(0);
    const sender = constant(from);
    if (sender !== undefined && !oneAddress(sender)) {
      checker.error(args.tagAt("from"), `${shown(sender)} is no address`);
    }
    const level = constant(importance);
    if (level !== undefined && !/^[123]$/.test(level)) {
      checker.error(args.tagAt("importance"), ':importance is "1", "2" or "3"');
    }
    const uri = constant(method);
    const problem = uri === undefined ? undefined : methodProblem(uri);
    if (problem) checker.error(args.positionalAt(0), `the method ${shown(uri!)} ${problem}`);
    const fcc = compileFcc(checker, args);
    return (run) => {
      const uri = run.text(method);
      const problem = methodProblem(uri);
      if (problem) throw new SieveRuntimeError(`the method ${shown(uri)} ${problem}`);
      const sender = from === undefined ? undefined : run.text(from);
      if (sender !== undefined && !oneAddress(sender)) {
        throw new SieveRuntimeError(`${shown(sender)} is no address`);
      }
      const level = importance === undefined ? "2" : run.text(importance);
      if (!/^[123]$/.test(level)) throw new SieveRuntimeError(":importance isn't 1, 2 or 3");
      run.trace(`notify ${uri}`);
      run.act({
        ...run.at,
        kind: "notify",
        notification: {
          method: uri,
          from: sender,
          importance: Number(level) as 1 | 2 | 3,
          options: run.texts(options),
          message: message === undefined ? undefined : run.text(message),
          fcc: fcc(run),
        },
      });
      return undefined;
    };
  },
};

const validMethod: TestDefinition = {
  name: "valid_notify_method",
  extension: "enotify",
  positional: ["strings"],
  compile(_c, args) {
    const methods = args.strings(0).map((m) => m.text);
    return (run) => {
      run.spend(methods.length * 5);
      return run.texts(methods).every((m) => methodProblem(m) === undefined);
    };
  },
};

const capability: TestDefinition = {
  name: "notify_method_capability",
  extension: "enotify",
  tags: matchTags,
  positional: ["string", "string", "strings"],
  compile(checker, args) {
    const [method, name] = [args.string(0), args.string(1)];
    const matcher = compileMatcher(checker, args, args.strings(2));
    return (run) => {
      run.spend(5);
      if (methodProblem(run.text(method)) !== undefined) return false;
      // RFC 5436 §2: whether a mail recipient is present is unknown.
      if (run.text(name).toLowerCase() !== "online") return false;
      return matcher.any(run, ["maybe"]);
    };
  },
};

export const notifyCommands: readonly CommandDefinition[] = [notify];
export const notifyTests: readonly TestDefinition[] = [validMethod, capability];
