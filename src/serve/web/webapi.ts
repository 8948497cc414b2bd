/** The web API of the running server: its logins, and sending through the queue. @module */
import { defaultMaxMessageSize } from "../../config/mod.ts";
import { programVersion } from "../../platform/version.ts";
import { QueueLimitError } from "../../queue/mod.ts";
import { SmtpError } from "../../smtp/server/mod.ts";
import { ApiError, type ApiSubmission, openWebApi, type WebApi } from "../../web/webapi/mod.ts";
import type { SendWithCopy } from "../../web/webmail/mod.ts";
import { checkProgramLogin } from "./account_pages.ts";
import { behalfField } from "../sending/delegates.ts";
import { queueOutgoing } from "../sending/outgoing.ts";
import type { LoginServices } from "../logins.ts";
import type { WebServer, WebShared } from "./page_server.ts";

type Server = Pick<WebServer, "config" | "accounts" | "queue" | "scanners"> & {
  logins: LoginServices;
};

/** Opens the web API. */
export function webApi(
  server: Server,
  shared: Pick<WebShared, "limiter" | "tempDir">,
  sendWithCopy: SendWithCopy,
): Promise<WebApi> {
  const { config } = server;
  const sizes = [...config.static.Listeners.values()].map((l) => l.SMTPMaxMessageSize);
  return openWebApi({
    config,
    accounts: server.accounts,
    queue: server.queue,
    limiter: shared.limiter,
    tempDir: shared.tempDir,
    hostname: config.static.Hostname,
    version: programVersion,
    maxMessageSize: Math.max(...sizes) || defaultMaxMessageSize,
    checkLogin: (form, remoteIp) =>
      checkProgramLogin(server.logins, form, { protocol: "webapi", remoteIp }),
    submit: (m) => submit(server, m),
    sendWithCopy,
  });
}

function addressParts(address: string): { localpart: string; domain: string } {
  const at = address.lastIndexOf("@");
  return { localpart: address.slice(0, at), domain: address.slice(at + 1) };
}

async function submit(server: Server, submission: ApiSubmission): Promise<number[]> {
  try {
    return await queueOutgoing(server, {
      senderAccount: submission.account,
      author: submission.author,
      fromDomain: submission.fromDomain,
      mailFrom: submission.mailFrom,
      recipients: submission.recipients,
      file: submission.file,
      fileSize: submission.fileSize,
      prefix: new TextEncoder().encode(
        behalfField(server.config, submission.account, [addressParts(submission.author)]),
      ),
      smtputf8: submission.smtputf8,
      has8bit: submission.has8bit,
      requireTls: submission.requireTls === true,
      tlsOptional: submission.requireTls === false,
      notBefore: submission.notBefore,
      messageId: submission.messageId,
      subject: submission.subject,
      extra: submission.extra,
      key: submission.key,
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
