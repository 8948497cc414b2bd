/** Import and export of mail on the account page: uploads, their progress as events, and archives to download. @module */
import { giveBack } from "../../platform/bytes.ts";
import { asMailboxId } from "../../store/ids.ts";
import { join } from "node:path";
import type { transferCalls } from "../../../webmail/account/transfer_api.ts";
import { createTemp, freeSpace, removeFile, writeAll } from "../../platform/files.ts";
import type { Outbound } from "../../net/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { type ArchiveKind, checkRoom, exportArchive, exportMailboxes } from "../export/archive.ts";
import { openForExport } from "../export/at_a_time.ts";
import {
  callError,
  type CallHandlers,
  checkCall,
  checkSameSite,
  HttpError,
  jsonResponse,
  UserError,
  type WebHandler,
  type WebRequest,
} from "../http/mod.ts";
import type { Login, PageContext } from "../login/mod.ts";
import { pieceStream } from "../webmail/reading/content.ts";
import { disposition } from "../webmail/reading/documents.ts";
import type { ImportJobs } from "./import_jobs.ts";

interface Options {
  accounts: Accounts;
  jobs: ImportJobs;
  outbound: Outbound;
  login: Login;
  tempDir: string;
  /** IMAP servers at any port, for developers; else 143 and 993. */
  anyPort: boolean;
}

/** Bytes of an upload. */
const maxUpload = 100e9;
/** Bytes to leave free on the disk. */
const reserve = 1e9;

/** Handlers of the page's calls. */
export function transferHandlers(
  o: Options & {
    withAccount<T>(name: string, fn: (account: Account) => T | Promise<T>): Promise<T>;
  },
): CallHandlers<typeof transferCalls, PageContext> {
  return {
    Transfers: (_r, context) =>
      o.withAccount(context.session!.account, (account) => ({
        running: o.jobs.running(context.session!.account) ?? null,
        mailboxes: account.mailboxes().map(({ id, name }) => ({ id, name })),
      })),
    async ImportAbort({ token }, context) {
      await o.jobs.abort(context.session!.account, token);
      return {};
    },
    ImportImap({ host, port, tls, user, password, token, mailbox }, context) {
      if (!o.anyPort && port !== 143 && port !== 993) {
        throw new UserError("IMAP servers have port 993 (TLS) or 143 (STARTTLS)");
      }
      if (/[\s/]/.test(host)) throw new UserError(`${host} is no name of a server`);
      const account = context.session!.account;
      const request = { account, mailbox: checkedMailbox(mailbox), skipDuplicates: true };
      return {
        token: o.jobs.startImap(request, {
          outbound: o.outbound,
          rule: o.outbound.forUsers,
          host,
          port,
          tls,
          user,
          ...(token ? { accessToken: password } : { password }),
        }),
      };
    },
  };
}

function checkedMailbox(name: string): string {
  const clean = name.trim().replace(/^\/+|\/+$/g, "");
  if (/[%*]/.test(clean)) throw new UserError("a mailbox can't have % or * in its name");
  return clean;
}

/** Answers the requests that are not calls; undefined for others. */
export function transferRoutes(
  options: Options,
): (req: WebRequest) => Promise<Response> | undefined {
  const routes: Record<string, WebHandler> = {
    "/import": (req) => upload(options, req),
    "/import/events": (req) => events(options, req),
    "/export": (req) => exported(options, req),
  };
  return (req) => {
    const route = Object.hasOwn(routes, req.path) ? routes[req.path] : undefined;
    return route && Promise.resolve(route(req));
  };
}

async function upload(options: Options, req: WebRequest): Promise<Response> {
  try {
    if (req.method !== "POST") throw new HttpError(405, "only POST", { Allow: "POST" });
    checkCall(req);
    const session = options.login.require(req);
    if (options.jobs.running(session.account)) {
      throw new HttpError(409, "an import is running already: wait for its end, or abort it");
    }
    const params = req.url.searchParams;
    const mailbox = checkedMailbox(params.get("mailbox") ?? "");
    const room = await freeSpace(options.tempDir) - reserve;
    const { path, file } = await createTemp(options.tempDir, "import-upload-");
    try {
      try {
        let size = 0;
        for await (const chunk of req.stream(maxUpload)) {
          size += chunk.length;
          if (size > room) {
            throw new HttpError(413, "there is not enough room on the server's disk");
          }
          await writeAll(file, chunk);
          giveBack(chunk);
        }
      } finally {
        file.close();
      }
    } catch (err) {
      removeFile(path);
      throw err;
    }
    const token = options.jobs.startArchive(
      {
        account: session.account,
        mailbox,
        skipDuplicates: params.get("skipDuplicates") === "yes",
      },
      path,
      (params.get("filename") ?? "Imported").slice(0, 255),
    );
    return options.login.renew(req, session, jsonResponse(200, { token }));
  } catch (err) {
    if (err instanceof HttpError) return callError(err);
    throw err;
  }
}

function events(options: Options, req: WebRequest): Response {
  checkSameSite(req);
  const session = options.login.require(req);
  const signal = AbortSignal.any([req.signal, req.stopping]);
  const states = options.jobs.follow(
    session.account,
    req.url.searchParams.get("token") ?? "",
    signal,
  );
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const r = await states.next();
        if (r.done) controller.close();
        else controller.enqueue(encoder.encode(`data: ${JSON.stringify(r.value)}\n\n`));
      } catch (err) {
        if (!(err instanceof HttpError)) throw err;
        // No longer known: the page asks again.
        controller.enqueue(encoder.encode(`event: gone\ndata: {}\n\n`));
        controller.close();
      }
    },
    async cancel() {
      await states.return(undefined);
    },
  });
  return new Response(body, {
    headers: { "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store" },
  });
}

const exportKinds: { kind: ArchiveKind; type: string }[] = [
  { kind: "zip", type: "application/zip" },
  { kind: "tgz", type: "application/gzip" },
  { kind: "tar", type: "application/x-tar" },
];

async function exported(options: Options, req: WebRequest): Promise<Response> {
  if (req.method !== "GET") throw new HttpError(405, "only GET", { Allow: "GET" });
  checkSameSite(req);
  const session = options.login.require(req);
  const params = req.url.searchParams;
  const format = params.get("format") === "maildir" ? "maildir" : "mbox";
  const kind = exportKinds.find((k) => k.kind === params.get("kind")) ?? exportKinds[0];
  const id = params.get("mailbox") ?? "";
  if (!/^\d{0,15}$/.test(id)) throw new HttpError(400, "mailbox: expected a number");
  const { account, release } = await openForExport(options.accounts, session.account);
  try {
    const mailboxes = exportMailboxes(account, id === "" ? undefined : asMailboxId(Number(id)));
    const name = id === "" ? account.name : mailboxes[0].name.replaceAll("/", "-");
    await checkRoom(mailboxes, format, kind.kind, options.tempDir);
    const pieces = exportArchive(account, mailboxes, format, kind.kind, options.tempDir);
    return new Response(pieceStream(pieces, release, req.log), {
      headers: {
        "Content-Type": kind.type,
        "Cache-Control": "no-store",
        "Content-Disposition": disposition("attachment", `${name}-${format}.${kind.kind}`),
      },
    });
  } catch (err) {
    release();
    throw err;
  }
}

/** Folder for uploads and messages being received. */
export function importFolder(tempDir: string): string {
  return join(tempDir, "import");
}
