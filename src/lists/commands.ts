/** Commands in mail to the -request address of a list. @module */

/** A command of a member, or of somebody who wants to become one. */
export type ListCommand =
  | { kind: "help" }
  | { kind: "subscribe"; name: string }
  | { kind: "unsubscribe" }
  | { kind: "confirm"; token: string };

/** Lines of a message that are read. */
const maxLines = 20;

/** The command in one line; undefined if there is none. */
function inLine(text: string): ListCommand | undefined {
  const line = text.trim().slice(0, 300);
  const space = line.search(/\s/);
  const word = (space < 0 ? line : line.slice(0, space)).toLowerCase();
  const rest = space < 0 ? "" : line.slice(space).trim();
  switch (word) {
    case "help":
    case "info":
      return { kind: "help" };
    case "subscribe":
    case "join":
      return { kind: "subscribe", name: rest.slice(0, 100) };
    case "unsubscribe":
    case "leave":
    case "signoff":
      return { kind: "unsubscribe" };
    case "confirm": {
      const token = rest.toLowerCase();
      return /^[a-z0-9-]{5,40}$/.test(token) ? { kind: "confirm", token } : undefined;
    }
    default:
      return undefined;
  }
}

/**
 * The first command of a message, in its subject (without "Re:") or the first lines of its text. Only one is carried
 * out: a text that happens to begin with several such lines must not cause several actions.
 */
export function readCommand(subject: string, text: string): ListCommand | undefined {
  const found = inLine(subject.replace(/^(?:\s*(?:re|aw|fwd?)\s*:)+/i, ""));
  if (found) return found;
  let from = 0;
  for (let i = 0; i < maxLines && from < text.length; i++) {
    const lf = text.indexOf("\n", from);
    const line = text.slice(from, lf < 0 ? undefined : lf);
    from = lf < 0 ? text.length : lf + 1;
    // RFC 3676 §4.3: the rest is a signature.
    if (/^-- ?\r?$/.test(line)) return undefined;
    // A quoted command is not repeated.
    if (line.startsWith(">")) continue;
    const command = inLine(line);
    if (command) return command;
  }
  return undefined;
}
