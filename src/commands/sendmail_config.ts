/**
 * The file with which any user's `sendmail` can submit messages, also on machines without this server: an account at a
 * submission server, in the format of the original's `/etc/moxsubmit.conf`.
 *
 * @module
 */
import { type Infer, optional, required } from "../config/sconf/schema.ts";
import { list, struct } from "../config/sconf/schema_blocks.ts";
import { bool, int, text, word } from "../config/sconf/schema_scalars.ts";
import { parseSconf } from "../config/sconf/sconf.ts";
import { describe } from "../config/sconf/describe.ts";
import { transportMechanisms } from "../config/mod.ts";

/** Where the file is searched, if `-config` is not given. */
export const submitConfigPath = "/etc/moxsubmit.conf";

const submitConfig = struct({
  LocalHostname: required(
    text(),
    "Name of this machine, in EHLO and for addresses without a domain.",
  ),
  Host: required(text(), "Submission server, such as mail.example.org."),
  Port: required(int(1, 65535), "Its port: 465 with TLS, 587 with STARTTLS."),
  TLS: optional(bool, "TLS from the first byte (port 465)."),
  STARTTLS: optional(bool, "TLS after STARTTLS (port 587)."),
  TLSInsecureSkipVerify: optional(
    bool,
    "Out of use here: certificates are verified always. Put the server's authority among those of the system.",
  ),
  Username: required(text(), "Name to log in with."),
  Password: required(text(), "Password to log in with."),
  AuthMethod: optional(
    word(transportMechanisms),
    "Mechanism to log in with; by default the best that the server has.",
  ),
  From: required(text(), "Sender's address of messages, unless -f gives one."),
  DefaultDestination: optional(
    text(),
    "Address that messages to names without a domain go to, such as to root.",
  ),
  RequireTLS: optional(
    word(["", "yes", "no"]),
    "Whether TLS is demanded for all hops (yes, RFC 8689), or waived (no).",
  ),
  ExtraHeaders: optional(list(text()), "Header fields that are added, such as X-Machine: web1."),
});
export type SubmitConfig = Infer<typeof submitConfig>;

/** All fields with their documentation. */
export function describeSubmitConfig(): string {
  return describe(submitConfig);
}

/** Parses the text of such a file. @throws Error that names file and lines */
export function readSubmitConfig(path: string, textOfFile: string): SubmitConfig {
  const { root, problems } = parseSconf(textOfFile);
  const value = submitConfig.read(root, 0, (line, message, warning) => {
    if (!warning) problems.push({ line, message });
  });
  if (
    !value.TLS && !value.STARTTLS && !/^(?:localhost|127\.|::1$|.*\.localhost$)/.test(value.Host)
  ) {
    problems.push({
      line: 0,
      message: "neither TLS nor STARTTLS is set: the password could be read",
    });
  }
  if (problems.length > 0) {
    throw new Error(
      problems.map((p) => p.line > 0 ? `${path}:${p.line}: ${p.message}` : `${path}: ${p.message}`)
        .join("\n"),
    );
  }
  return value;
}
