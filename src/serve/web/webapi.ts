/** The web API of the running server: its logins, and sending through the queue. @module */
import { defaultMaxMessageSize } from "../../config/mod.ts";
import { programVersion } from "../../platform/version.ts";
import { QueueLimitError } from "../../queue/mod.ts";
import { SmtpError } from "../../smtp/server/mod.ts";
import { ApiError, type ApiSubmission, openWebApi, type WebApi } from "../../web/webapi/mod.ts";
import { checkProgramLogin } from "./account_pages.ts";
import { behalfField } from "../sending/delegates.ts";
import { queueOutgoing } from "../sending/outgoing.ts";
import type { LoginServices } from "../logins.ts";
import type { WebServer, WebShared } from "./page_server.ts";

type Server = Pick<WebServer, "config" | "accounts" | "queue" | "scanners"> & {
  logins: LoginServices;
};

/** Opens the web API. */
export function webApi(s: Server, shared: Pick<WebShared, "limiter" | "tempDir">): Promise<WebApi> {
  const { config } = s;
  const sizes = [...config.static.Listeners.values()].map((l) => l.SMTPMaxMessageSize);
  return openWebApi({
    config,
    accounts: s.accounts,
    queue: s.queue,
    limiter: shared.limiter,
    tempDir: shared.tempDir,
    hostname: config.static.Hostname,
    version: programVersion,
    maxMessageSize: Math.max(...sizes) || defaultMaxMessageSize,
    checkLogin: (form, remoteIp) =>
      checkProgramLogin(s.logins, form, { protocol: "webapi", remoteIp }),
    submit: (m) => submit(s, m),
  });
}

function addressParts(address: string): { localpart: string; domain: string } {
  const at = address.lastIndexOf("@");
  return { localpart: address.slice(0, at), domain: address.slice(at + 1) };
}

async function submit(s: Server, m: ApiSubmission): Promise<number[]> {
  try {
    return await queueOutgoing(s, {
      senderAccount: m.account,
      author: m.author,
      fromDomain: m.fromDomain,
      mailFrom: m.mailFrom,
      recipients: m.recipients,
      file: m.file,
      fileSize: m.fileSize,
      prefix: new TextEncoder().encode(
        behalfField(s.config, m.account, [addressParts(m.author)]),
      ),
      smtputf8: m.smtputf8,
      has8bit: m.has8bit,
      requireTls: m.requireTls === true,
      tlsOptional: m.requireTls === false,
      notBefore: m.notBefore,
      messageId: m.messageId,
      subject: m.subject,
      extra: m.extra,
      scan: {},
    });
  } catch (cause) {
    if (!(cause instanceof SmtpError)) throw cause;
    const limit = cause.cause instanceof QueueLimitError ? cause.cause.limit : undefined;
    const code = limit === "messages"
      ? "messageLimitReached"
      : limit === "firstTimeRecipients"
      ? "recipientLimitReached"
      : "user";
    throw new ApiError(code, cause.message, { cause });
  }
}
