/** All methods. @module */
import type { Method } from "../request/request.ts";
import { acl } from "./acl.ts";
import { copy, move } from "./copy_move.ts";
import { remove } from "./delete.ts";
import { get, head } from "./get.ts";
import { mkcalendar, mkcol } from "./mkcol.ts";
import { options } from "./options.ts";
import { post } from "./post.ts";
import { propfind } from "./propfind.ts";
import { proppatch } from "./proppatch.ts";
import { put } from "./put.ts";
import { report } from "./report.ts";

export const methods: ReadonlyMap<string, Method> = new Map(
  [
    acl,
    copy,
    get,
    head,
    mkcalendar,
    mkcol,
    move,
    options,
    post,
    propfind,
    proppatch,
    put,
    remove,
    report,
  ].map((m) => [m.name, m]),
);
