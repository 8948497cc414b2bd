/** Export and import of contacts and calendars on the account page. @module */
import { giveBack } from "../../platform/bytes.ts";
import { collectionFiles, importCollections } from "../../groupware/takeaway.ts";
import { createTemp, freeSpace, removeFile, writeAll } from "../../platform/files.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { ArchiveError } from "../../store/import/archive/types.ts";
import { zipArchive } from "../../store/import/archive/zip.ts";
import { openForExport } from "../export/at_a_time.ts";
import { writeZip } from "../export/zip.ts";
import {
  callError,
  checkCall,
  checkSameSite,
  HttpError,
  jsonResponse,
  type WebHandler,
  type WebRequest,
} from "../http/mod.ts";
import type { Login } from "../login/mod.ts";
import { pieceStream } from "../webmail/reading/content.ts";
import { disposition } from "../webmail/reading/documents.ts";

interface Options {
  accounts: Accounts;
  login: Login;
  tempDir: string;
}

/** Bytes of an upload. */
const maxUpload = 500e6;
/** Bytes to leave free on the disk. */
const reserve = 1e9;

/** Answers the requests; undefined for others. */
export function takeawayRoutes(
  options: Options,
): (req: WebRequest) => Promise<Response> | undefined {
  /** Accounts with a running import. */
  const running = new Set<string>();
  const routes: Record<string, WebHandler> = {
    "/import/collections": (req) => brought(options, req, running),
    "/export/collections": (req) => taken(options, req),
  };
  return (req) => {
    const route = Object.hasOwn(routes, req.path) ? routes[req.path] : undefined;
    return route && Promise.resolve(route(req));
  };
}

async function taken(options: Options, req: WebRequest): Promise<Response> {
  if (req.method !== "GET") throw new HttpError(405, "only GET", { Allow: "GET" });
  checkSameSite(req);
  const session = options.login.require(req);
  const { account, release } = await openForExport(options.accounts, session.account);
  try {
    const pieces = writeZip(collectionFiles(await account.groupware()));
    return new Response(pieceStream(pieces, release, req.log), {
      headers: {
        "Content-Type": "application/zip",
        "Cache-Control": "no-store",
        "Content-Disposition": disposition("attachment", `${account.name}-collections.zip`),
      },
    });
  } catch (err) {
    release();
    throw err;
  }
}

async function brought(options: Options, req: WebRequest, running: Set<string>): Promise<Response> {
  try {
    if (req.method !== "POST") throw new HttpError(405, "only POST", { Allow: "POST" });
    checkCall(req);
    const session = options.login.require(req);
    const name = session.account;
    if (running.has(name)) throw new HttpError(409, "an import is running already");
    running.add(name);
    try {
      const { path, file } = await createTemp(options.tempDir, "import-collections-");
      try {
        try {
          const room = await freeSpace(options.tempDir) - reserve;
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
        const account = await options.accounts.open(name);
        try {
          const done = await importCollections(await account.groupware(), zipArchive(path));
          return options.login.renew(req, session, jsonResponse(200, done));
        } finally {
          account.close();
        }
      } finally {
        removeFile(path);
      }
    } finally {
      running.delete(name);
    }
  } catch (err) {
    if (err instanceof ArchiveError) return callError(new HttpError(400, err.message));
    if (err instanceof HttpError) return callError(err);
    throw err;
  }
}
