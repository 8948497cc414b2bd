/**
 * The Sieve mail filtering language (RFC 5228) with its extensions: scripts are compiled, and running one on a
 * message gives a list of actions. Pure: no file, no socket, no clock; a script's inputs come from its context,
 * and the caller carries out the actions.
 *
 * It imports src/mail and the regular expressions of src/config; src/delivery, the servers and the commands
 * call it.
 *
 * @module
 */
export {
  type CompileOptions,
  compileSieve,
  compileSieveAsync,
  maxScriptSize,
  scriptText,
  SieveSyntaxError,
  syntaxOf,
} from "./compile.ts";
export { extensions } from "./check/extensions.ts";
export { isScriptName } from "./extensions/include.ts";
export { problemText, type SieveProblem } from "./language/problems.ts";
export type { Argument, SyntaxNode } from "./language/syntax.ts";
export { type MailSource, type MessagePiece, SieveMail } from "./message/mail.ts";
export { addressText, type MailAddress, oneAddress } from "./message/addresses.ts";
export { type Mailto, parseMailto } from "./message/mailto.ts";
export { actionText } from "./run/action_text.ts";
export { executeSieve, executeSieveAsync } from "./run/execute.ts";
export { type SieveContext, SieveRuntimeError, type SieveScript } from "./run/run.ts";
export {
  type Action,
  defaultLimits,
  type Edited,
  type Filing,
  type ImapEvent,
  keptAfter,
  type Limits,
  type MailboxFacts,
  type Notification,
  type Redirect,
  type Remembered,
  type SieveEnvelope,
  type SieveMailboxes,
  type SieveResult,
  type Vacation,
} from "./run/types.ts";
