/**
 * All commands.
 *
 * @module
 */
import type { Command } from "./command.ts";
import { deleteAcl, getAcl, listRights, myRights, setAcl } from "./commands/acl.ts";
import { append, replaceBySeq, replaceByUid } from "./commands/append.ts";
import { capability, check, enable, id, logout, namespace, noop } from "./commands/basics.ts";
import { compress } from "./commands/compress.ts";
import {
  copyBySeq,
  copyByUid,
  expunge,
  expungeByUid,
  moveBySeq,
  moveByUid,
} from "./commands/copy.ts";
import { fetchBySeq, fetchByUid } from "./commands/fetch.ts";
import { idle } from "./commands/idle.ts";
import { listCommand, lsub } from "./commands/list.ts";
import { authenticate, login, starttls } from "./commands/login.ts";
import { create, remove, rename, status, subscribe, unsubscribe } from "./commands/mailboxes.ts";
import { getMetadata, setMetadata } from "./commands/metadata.ts";
import { notify } from "./commands/notify.ts";
import { getQuota, getQuotaRoot } from "./commands/quota.ts";
import { multiSearch } from "./commands/esearch.ts";
import { cancelUpdate, searchBySeq, searchByUid } from "./commands/search.ts";
import { sortBySeq, sortByUid, threadBySeq, threadByUid } from "./commands/sort.ts";
import { close, examine, selectMailbox, unselect } from "./commands/select.ts";
import { storeBySeq, storeByUid } from "./commands/store.ts";
import { genUrlAuth, resetKey, urlFetch } from "./commands/urlauth.ts";

export const commands: readonly Command[] = [
  capability,
  noop,
  logout,
  id,
  starttls,
  login,
  authenticate,
  enable,
  selectMailbox,
  examine,
  create,
  remove,
  rename,
  subscribe,
  unsubscribe,
  listCommand,
  lsub,
  namespace,
  status,
  append,
  idle,
  setAcl,
  deleteAcl,
  getAcl,
  listRights,
  myRights,
  genUrlAuth,
  urlFetch,
  resetKey,
  getQuota,
  getQuotaRoot,
  getMetadata,
  setMetadata,
  compress,
  notify,
  multiSearch,
  check,
  close,
  unselect,
  expunge,
  expungeByUid,
  searchBySeq,
  searchByUid,
  cancelUpdate,
  sortBySeq,
  sortByUid,
  threadBySeq,
  threadByUid,
  fetchBySeq,
  fetchByUid,
  storeBySeq,
  storeByUid,
  copyBySeq,
  copyByUid,
  moveBySeq,
  moveByUid,
  replaceBySeq,
  replaceByUid,
];

const byName = new Map(commands.map((c) => [c.name, c]));

/** A command by its name in upper case. */
export function commandNamed(name: string): Command | undefined {
  return byName.get(name);
}
