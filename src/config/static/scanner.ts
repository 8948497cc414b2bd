/** External mail scanners: milters, rspamd, ClamAV. @module */
import { type Infer, nullable, optional, required } from "../sconf/schema.ts";
import { struct } from "../sconf/schema_blocks.ts";
import { bool, duration, text, word } from "../sconf/schema_scalars.ts";
import { count, fileText, httpUrlText } from "../sconf/types.ts";

const endpointText = text((s) => {
  if (s.startsWith("unix:")) {
    // deno-lint-ignore no-control-regex
    return /^unix:\/[^\u0000-\u001f]+$/.test(s)
      ? undefined
      : "has no absolute path of a socket behind unix:";
  }
  const m = /^(?:\[[0-9a-fA-F:.]+\]|[^:[\]\s/]+):([0-9]{1,5})$/.exec(s);
  const port = m ? Number(m[1]) : 0;
  return port > 0 && port < 65536 ? undefined : "is neither unix:/path nor host:port";
}, "unix:/path or host:port");

export const scanner = struct({
  Milter: nullable(
    struct({
      Address: required(
        endpointText,
        "Where it listens: unix:/run/opendkim/opendkim.sock or localhost:8891.",
      ),
    }),
    "A milter (version 2 to 6 of the protocol), such as opendkim. It may refuse, discard, change the message's header and " +
      "body, add and remove recipients, and set messages aside.",
  ),
  Rspamd: nullable(
    struct({
      URL: required(
        httpUrlText,
        "The worker that scans, or the proxy, such as http://localhost:11333.",
      ),
      ControllerURL: optional(
        httpUrlText,
        "The controller, such as http://localhost:11334: it learns from messages that users mark as junk or move out of " +
          "their Junk mailbox. Without it nothing is learned.",
      ),
      PasswordFile: optional(
        fileText,
        "File with rspamd's password, relative to the folder of mox.conf, where it asks for one.",
      ),
    }),
    "rspamd, by HTTP.",
  ),
  ClamAV: nullable(
    struct({
      Address: required(
        endpointText,
        "Where clamd listens: unix:/run/clamav/clamd.ctl or localhost:3310.",
      ),
    }),
    "ClamAV's clamd.",
  ),
  Timeout: optional(
    duration,
    "How long it may take for a message, from the connection to the last answer.",
    30_000,
  ),
  WhenAway: optional(
    word(["tempfail", "accept"]),
    "What happens to messages while it does not answer: tempfail has their senders try again later (the default), accept " +
      "takes them without.",
    "tempfail",
  ),
  Verdict: optional(
    word(["refuse", "junk", "note"]),
    "What happens to messages that it finds bad: refuse (the default); junk, which puts what it refuses, and viruses, " +
      "into the Junk mailbox; or note, which does nothing but write down what it said, to try a scanner.",
    "refuse",
  ),
  MaxMessageSize: optional(
    count,
    "Largest message that it is shown, in bytes; 0 for no limit. Larger ones are not scanned.",
    25 * 1024 * 1024,
  ),
  RefuseLarger: optional(bool, "Refuse messages that are too large for it."),
});
export type Scanner = Infer<typeof scanner>;
