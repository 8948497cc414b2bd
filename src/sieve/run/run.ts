/**
 * A running execution: variables, flags, actions, and its limits.
 *
 * @module
 */
import type { Text } from "../language/text.ts";
import type { SieveProblem } from "../language/problems.ts";
import type { SieveMail } from "../message/mail.ts";
import type { Part } from "../../mail/structure/structure.ts";
import {
  type Action,
  defaultLimits,
  type ImapEvent,
  type Limits,
  type Remembered,
  type SieveEnvelope,
  type SieveMailboxes,
  type SieveResult,
} from "./types.ts";

/** Ends an execution: the message is kept. */
export class SieveRuntimeError extends Error {
  override name = "SieveRuntimeError";
}

/**
 * How a command ended, if not normally: `stop`, `return`, or `break` of a loop by its name ("" for the
 * innermost).
 */
export type Signal = "stop" | "return" | { break: string };
/** Runs a command; one with a block gives turns to others meanwhile. */
export type CommandFn = (run: Run) => Signal | undefined | Generator<void, Signal | undefined>;
/** A command of a block, with its offset in the script. */
export interface PlacedCommand {
  at: number;
  run: CommandFn;
}
export type TestFn = (run: Run) => boolean;

/** A script that has been checked and can be run. */
export interface SieveScript {
  /** The name used in messages about it. */
  name: string;
  commands: readonly PlacedCommand[];
  /** Extensions that it requires. */
  requires: ReadonlySet<string>;
  /** Warnings: valid, but perhaps not intended. */
  warnings: readonly SieveProblem[];
  /** Line and column of an offset in its text. */
  place(offset: number): { line: number; column: number };
}

/** The inputs of a script. */
export interface SieveContext {
  message: SieveMail;
  envelope: SieveEnvelope;
  mailboxes: SieveMailboxes;
  /** Milliseconds since the epoch. */
  now: number;
  /** Minutes east of Greenwich of the local zone at a time. */
  zone(time: number): number;
  /** Items of RFC 5183 §4.1 and RFC 6785 §4; undefined for unknown ones. */
  environment(name: string): string | undefined;
  /** Whether an address, or other value, is in an external list; undefined for an unknown list. */
  inList(list: string, value: string): boolean | undefined;
  /** A script to include. @returns undefined if there is none of that name; problems if it has errors. */
  include(name: string, where: "personal" | "global"): SieveScript | SieveProblem[] | undefined;
  /**
   * Whether a duplicate-test value was seen within its time (RFC 7352); values to remember are in the result.
   */
  seen(key: string): boolean;
  /** Spam score from 0 to 1, and virus verdict 0 (unknown) to 5 (RFC 5235); undefined if nothing was tested. */
  spamScore: number | undefined;
  virus: number | undefined;
  /** Whether an address is the user's, for vacation and for the sender of notifications. */
  isOwnAddress(address: string): boolean;
  /** The mailbox that `keep` puts messages into; "INBOX" if not given. */
  keepMailbox?: string;
  /** Separators of user and detail in a localpart (RFC 5233), such as "+". */
  separators: readonly string[];
  imap?: ImapEvent;
  limits?: Partial<Limits>;
  /** Called with the script's actions, step by step. */
  trace?: (line: number, text: string) => void;
}

/** Variables of a script; included scripts have their own (RFC 6609 §3.4). */
export interface Scope {
  script: string;
  variables: Map<string, string>;
  /** Names of variables shared by all scripts. */
  globals: Set<string>;
  depth: number;
  /** Line and column of an offset. */
  place: SieveScript["place"];
}

/** The scope of a script that starts to run. */
export function scopeOf(script: SieveScript, depth: number): Scope {
  const { name, place } = script;
  return { script: name, variables: new Map(), globals: new Set(), depth, place };
}

/** The current part of a `foreverypart`, for tests, and for commands that replace it. */
export interface Loop {
  name: string;
  part: Part;
}

export class Run {
  readonly context: SieveContext;
  readonly message: SieveMail;
  readonly limits: Limits;
  readonly actions: Action[] = [];
  readonly remembered: Remembered[] = [];
  readonly warnings: SieveResult["warnings"] = [];
  readonly globals = new Map<string, string>();
  scope: Scope = {
    script: "",
    variables: new Map(),
    globals: new Set(),
    depth: 0,
    place: () => ({ line: 1, column: 1 }),
  };
  /** The matches of wildcards in the last successful test; 0 is the whole match. */
  captures: string[] = [];
  /** Flags of imap4flags' internal variable; undefined until it is set. */
  flags: string[] | undefined;
  /** No action has cancelled the implicit keep. */
  implicitKeep = true;
  readonly loops: Loop[] = [];
  /** Scripts included with `:once`, or running. */
  readonly included = new Set<string>();
  readonly includeStack: string[] = [];
  includes = 0;
  /** Offset of the running command in its script. */
  offset = 0;
  steps = 0;
  /** Commands since the clock was last read; it isn't read at each one. */
  sinceTurn = 0;
  #turn = performance.now();

  constructor(context: SieveContext) {
    this.context = context;
    this.message = context.message;
    this.limits = { ...defaultLimits, ...context.limits };
  }

  /** Counts work. @throws SieveRuntimeError beyond the bound */
  spend(steps: number): void {
    this.steps += steps;
    if (this.steps > this.limits.steps) {
      throw new SieveRuntimeError("the script takes too much work for this message");
    }
  }

  /** Whether others should get a turn: every few milliseconds. */
  turnIsOver(): boolean {
    const now = performance.now();
    if (now - this.#turn < 4) return false;
    this.#turn = now;
    return true;
  }

  warn(message: string): void {
    if (this.warnings.length < 20) {
      this.warnings.push({ script: this.scope.script, ...this.scope.place(this.offset), message });
    }
  }

  trace(text: string): void {
    this.context.trace?.(this.scope.place(this.offset).line, text);
  }

  /** A string with its variables expanded. */
  text(text: Text): string {
    if (typeof text === "string") return text;
    let s = "";
    for (const p of text.parts) {
      s += typeof p === "string"
        ? p
        : "match" in p
        ? this.captures[p.match] ?? ""
        : this.variable(p.name);
      if (s.length > this.limits.variableLength) s = cut(s, this.limits.variableLength);
    }
    this.spend(1 + (s.length >> 8));
    return s;
  }

  texts(list: readonly Text[]): string[] {
    return list.map((t) => this.text(t));
  }

  /** Value of a variable, "" if it has none. */
  variable(name: string): string {
    if (name.startsWith("global.")) return this.globals.get(name.slice(7)) ?? "";
    return (this.scope.globals.has(name) ? this.globals : this.scope.variables).get(name) ?? "";
  }

  setVariable(name: string, value: string): void {
    const shared = name.startsWith("global.");
    const key = shared ? name.slice(7) : name;
    const map = shared || this.scope.globals.has(name) ? this.globals : this.scope.variables;
    if (!map.has(key) && map.size >= this.limits.variables) {
      throw new SieveRuntimeError(`more than ${this.limits.variables} variables`);
    }
    map.set(key, cut(value, this.limits.variableLength));
  }

  /** Records an action. */
  act(action: Action): void {
    const count = this.actions.filter((a) => a.kind === action.kind).length;
    if (this.actions.length >= this.limits.actions) {
      throw new SieveRuntimeError(`more than ${this.limits.actions} actions`);
    }
    if (action.kind === "redirect" && count >= this.limits.redirects) {
      throw new SieveRuntimeError(`more than ${this.limits.redirects} redirects`);
    }
    if (action.kind === "notify" && count >= this.limits.notifications) {
      throw new SieveRuntimeError(`more than ${this.limits.notifications} notifications`);
    }
    this.actions.push(action);
  }

  get at(): { line: number; script: string } {
    return { line: this.scope.place(this.offset).line, script: this.scope.script };
  }

  /** Actions of these kinds so far. */
  has(...kinds: Action["kind"][]): boolean {
    return this.actions.some((a) => kinds.includes(a.kind));
  }
}

/** A text cut to a length, without splitting a character. */
export function cut(s: string, length: number): string {
  if (s.length <= length) return s;
  const last = s.charCodeAt(length - 1);
  return s.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}
