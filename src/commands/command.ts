/** Definition of subcommands, and parsing their flags. @module */

export interface Command {
  /** As typed, such as `localserve` or `queue list`. */
  name: string;
  /** Name, flags and arguments on one line. */
  usage: string;
  /** One line for the list of commands. */
  summary: string;
  /** The whole help, in paragraphs. */
  help: string;
  /** Returns the exit status; undefined means 0. */
  run(args: string[]): Promise<number | void>;
}

/** A wrong command line: the usage is shown after the message. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Flags of a command: a boolean default makes a switch, a string default takes a value. */
export type Flags = Record<string, string | boolean>;

/**
 * Parses `-flag`, `-flag=value`, `-flag value` (one or two dashes), up to the first argument that isn't a
 * flag or up to `--`.
 * @throws UsageError for unknown flags, missing values and a wrong number of arguments.
 */
export function parseFlags<F extends Flags>(
  args: readonly string[],
  defaults: F,
  counts: { min?: number; max?: number } = {},
): { flags: { [K in keyof F]: F[K] extends boolean ? boolean : string }; args: string[] } {
  const flags: Flags = { ...defaults };
  let i = 0;
  for (; i < args.length; i++) {
    const m = /^--?([a-zA-Z][a-zA-Z0-9-]*)(?:=([\s\S]*))?$/.exec(args[i]);
    if (args[i] === "--") {
      i++;
      break;
    }
    if (!m) break;
    const [, name, given] = m;
    if (!(name in defaults)) throw new UsageError(`unknown flag -${name}`);
    if (typeof defaults[name] === "boolean") {
      if (given !== undefined && given !== "true" && given !== "false") {
        throw new UsageError(`flag -${name} is true or false, not ${JSON.stringify(given)}`);
      }
      flags[name] = given !== "false";
    } else if (given !== undefined) {
      flags[name] = given;
    } else {
      if (++i >= args.length) throw new UsageError(`flag -${name} needs a value`);
      flags[name] = args[i];
    }
  }
  const rest = args.slice(i);
  const { min = 0, max = 0 } = counts;
  if (rest.length < min) throw new UsageError("too few arguments");
  if (rest.length > Math.max(min, max)) {
    throw new UsageError(`too many arguments, from ${JSON.stringify(rest[Math.max(min, max)])} on`);
  }
  return { flags: flags as never, args: rest };
}
