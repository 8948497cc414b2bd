/**
 * What makes up a command: a name, the states it is allowed in, a parser, and an action.
 *
 * @module
 */
import type { Cursor } from "../../parse/cursor.ts";
import type { Answer } from "./answer.ts";
import { type Session, State } from "./session.ts";

export type Run = () => Promise<Answer | void> | Answer | void;

export interface Command {
  /** Upper case; with "UID " in front for the variants by uid. */
  readonly name: string;
  /** Bits of State. */
  readonly states: number;
  /** Capabilities that this command implements. */
  readonly capabilities?: readonly string[];
  /** Expunges aren't announced at its end, as its answer has sequence numbers (RFC 9051 §7.5.1). */
  readonly holdsExpunges?: boolean;
  /** Runs once the tagged OK is written, and sends it: STARTTLS, COMPRESS. */
  afterwards?(session: Session): Promise<void>;
  /**
   * Reads the arguments, from the space after the name on, and returns what to do. The end of the
   * command is checked by the caller.
   * @throws ParseError
   */
  parse(cursor: Cursor, session: Session): Run;
  /**
   * In place of `parse` for commands with message literals: reads them from the connection. `cursor` is
   * at the end of the name in the first line.
   */
  stream?(cursor: Cursor, session: Session): Promise<Answer | void>;
}

export const anyState = State.NotAuthenticated | State.Authenticated | State.Selected;
export const loggedIn = State.Authenticated | State.Selected;
