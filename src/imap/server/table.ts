/**
 * The table of all commands. Each is in a file of its name and says in its `states` where it is allowed, which
 * serve.ts checks before it reads the arguments.
 *
 * @module
 */
import type { Command } from "./session/command.ts";
import { append } from "./commands/append.ts";
import { authenticate } from "./commands/authenticate.ts";
import { cancelUpdate } from "./commands/cancelupdate.ts";
import { capability } from "./commands/capability.ts";
import { check } from "./commands/check.ts";
import { close } from "./commands/close.ts";
import { compress } from "./commands/compress.ts";
import { copyBySeq, copyByUid } from "./commands/copy.ts";
import { create } from "./commands/create.ts";
import { remove } from "./commands/delete.ts";
import { deleteAcl } from "./commands/deleteacl.ts";
import { enable } from "./commands/enable.ts";
import { multiSearch } from "./commands/esearch.ts";
import { expunge, expungeByUid } from "./commands/expunge.ts";
import { fetchBySeq, fetchByUid } from "./commands/fetch.ts";
import { genUrlAuth } from "./commands/genurlauth.ts";
import { getAcl } from "./commands/getacl.ts";
import { getJmapAccess } from "./commands/getjmapaccess.ts";
import { getMetadata } from "./commands/getmetadata.ts";
import { getQuota } from "./commands/getquota.ts";
import { getQuotaRoot } from "./commands/getquotaroot.ts";
import { setQuota } from "./commands/setquota.ts";
import { id } from "./commands/id.ts";
import { idle } from "./commands/idle.ts";
import { listCommand } from "./commands/list.ts";
import { listRights } from "./commands/listrights.ts";
import { login } from "./commands/login.ts";
import { logout } from "./commands/logout.ts";
import { lsub } from "./commands/lsub.ts";
import { moveBySeq, moveByUid } from "./commands/move.ts";
import { myRights } from "./commands/myrights.ts";
import { namespace } from "./commands/namespace.ts";
import { noop } from "./commands/noop.ts";
import { notify } from "./commands/notify.ts";
import { rename } from "./commands/rename.ts";
import { replaceBySeq, replaceByUid } from "./commands/replace.ts";
import { resetKey } from "./commands/resetkey.ts";
import { searchBySeq, searchByUid } from "./commands/search.ts";
import { examine, selectMailbox } from "./commands/select.ts";
import { setAcl } from "./commands/setacl.ts";
import { setMetadata } from "./commands/setmetadata.ts";
import { sortBySeq, sortByUid } from "./commands/sort.ts";
import { starttls } from "./commands/starttls.ts";
import { status } from "./commands/status.ts";
import { storeBySeq, storeByUid } from "./commands/store.ts";
import { subscribe } from "./commands/subscribe.ts";
import { threadBySeq, threadByUid } from "./commands/thread.ts";
import { uidBatches } from "./commands/uidbatches.ts";
import { unauthenticate } from "./commands/unauthenticate.ts";
import { unselect } from "./commands/unselect.ts";
import { unsubscribe } from "./commands/unsubscribe.ts";
import { urlFetch } from "./commands/urlfetch.ts";

export const commands: readonly Command[] = [
  capability,
  noop,
  logout,
  unauthenticate,
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
  setQuota,
  getJmapAccess,
  getMetadata,
  setMetadata,
  compress,
  notify,
  multiSearch,
  uidBatches,
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

/** The commands' capabilities, each once, in table order. */
export const commandCapabilities: readonly string[] = [
  ...new Set(commands.flatMap((c) => c.capabilities ?? [])),
];

const byName = new Map(commands.map((c) => [c.name, c]));

/** A command by its name in upper case. */
export function commandNamed(name: string): Command | undefined {
  return byName.get(name);
}
