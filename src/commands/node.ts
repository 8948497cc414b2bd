/** `mox node key`, `push`, `list` and `move`, and `mox config printproxy`. @module */
import { callControl } from "../serve/control/control.ts";
import { nodeKeyFile, openNodeKey } from "../nodes/key.ts";
import { standbyKeyFile } from "../store/backup/copy.ts";
import { ensureDir } from "../platform/files.ts";
import { ownLikeFolder } from "../platform/users.ts";
import { writeStdout } from "../platform/stdio.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { findDataDir, loadConfig } from "./datadir.ts";
import { haproxyConfig, nginxConfig } from "./proxy_config.ts";

const key: Command = {
  name: "node key",
  usage: "[-config path] node key [-standby] [-dir folder]",
  summary: "Print the hash of this server's key, for Nodes of domains.conf",
  help: `
Nodes prove to each other who they are by keys, whose hashes stand in domains.conf. The key is in the file
node.pem of the data folder, and is made if it isn't there yet. Keep it secret; if it was lost or read by
others, remove the file, run this again, and give all nodes the new hash.

  -standby  the key of a standby, in standby.pem: it proves by it that it is the one that gets the node's data
  -dir      data folder, where there is no mox.conf yet`,
  async run(args) {
    const { flags } = parseFlags(args, { dir: "", standby: false });
    const dir = flags.dir === "" ? await findDataDir("") : flags.dir;
    await ensureDir(dir);
    const { hash, path } = await openNodeKey(dir, flags.standby ? standbyKeyFile : nodeKeyFile);
    ownLikeFolder(path);
    writeStdout(`${hash}\n`);
  },
};

interface State {
  node: string;
  version: number;
  edited: boolean;
  error?: string;
  /** It has changes missing in this node's file. */
  apart?: boolean;
}

const push: Command = {
  name: "node push",
  usage: "[-config path] node push [-force]",
  summary: "Give this node's domains.conf to all other nodes",
  help: `
Gives domains.conf a new version, signs it with the node's key, and has the other nodes take it. Nodes that are
away fetch it when they are back. A node whose file was edited since it last took one keeps its edits on top, or
refuses where they are in the same lines. What was there before is kept as domains.conf.previous in the node's data
folder.

What another node has pushed meanwhile is brought into the file first, where it changed other lines. Where both have
changed the same lines nothing is pushed, and the other file is put beside: bring them together by hand.

  -force  replaces what other nodes have pushed meanwhile

Ends with status 1 if a node did not take it.`,
  async run(args) {
    const { flags: { force } } = parseFlags(args, { force: false });
    const dataDir = await findDataDir("");
    const states = await callControl(dataDir, "node push", { force }) as unknown as State[];
    for (const s of states) {
      writeStdout(`${s.node}: ${s.error ?? `has version ${s.version} now`}\n`);
    }
    return states.some((s) => s.error !== undefined) ? 1 : 0;
  },
};

const list: Command = {
  name: "node list",
  usage: "[-config path] node list",
  summary: "List the nodes, and which version of domains.conf they have",
  help: `
Asks each node, this one first. Ends with status 1 if one is away, behind, was edited since, or has changes that are
not here.`,
  async run(args) {
    parseFlags(args, {});
    const states = await callControl(await findDataDir(""), "node list") as unknown as State[];
    const newest = Math.max(...states.map((s) => s.version));
    let fine = true;
    for (const s of states) {
      const wrong = s.error ??
        (s.edited
          ? "edited since"
          : s.apart
          ? "with changes that are not here"
          : s.version < newest
          ? `behind, version ${newest} is out`
          : "");
      if (wrong !== "") fine = false;
      const version = s.error === undefined ? `version ${s.version}` : "away";
      writeStdout(`${s.node}: ${version}${wrong === "" ? "" : `, ${wrong}`}\n`);
    }
    return fine ? 0 : 1;
  },
};

interface MoveState {
  account: string;
  to: string;
  begun: number;
  decided: boolean;
  error: string;
}

const move: Command = {
  name: "node move",
  usage: "[-config path] node move [-cancel|-accept] [account [node]]",
  summary: "Move an account to another node, while it is used",
  help: `
Run at the node that has the account. It is copied to the other node while it is used; then its sessions end, the last
changes are sent, Node of the account is set in domains.conf, and the other node serves it. Meanwhile, mostly below a
second, mail for it is answered 451 and logins as temporarily impossible. Programs connect again by themselves; who has
the webmail open logs in anew. A move that is interrupted goes on when both nodes are there, also after a restart.

Mail of the account that waits in the queue goes out from where it is. Its former folder is kept in "removed" of the data
folder until you delete it. Mailboxes are shared between accounts of one node only.

Without account, lists the moves that are under way.

  -cancel  calls a move off; the account stays
  -accept  at the other node, where the one that sent the account is lost after domains.conf was changed: takes the
           copy that is here`,
  async run(args) {
    const { flags, args: rest } = parseFlags(args, { cancel: false, accept: false }, { max: 2 });
    const dataDir = await findDataDir("");
    const [account, node] = rest;
    const single = flags.cancel || flags.accept;
    if (single && rest.length !== 1 || !single && rest.length === 1) {
      throw new UsageError(
        single ? "an account is expected" : "an account and a node are expected",
      );
    }
    if (flags.cancel) return void await callControl(dataDir, "node move cancel", { account });
    if (flags.accept) return void await callControl(dataDir, "node move accept", { account });
    if (rest.length === 2) {
      await callControl(dataDir, "node move", { account, node }, writeStdout);
      return;
    }
    const moves = await callControl(dataDir, "node moves") as unknown as MoveState[];
    for (const m of moves) {
      const how = m.error !== "" ? m.error : m.decided ? "the copy is being taken" : "being copied";
      writeStdout(`${m.account} to ${m.to}, since ${new Date(m.begun).toISOString()}: ${how}\n`);
    }
  },
};

const printproxy: Command = {
  name: "config printproxy",
  usage: "[-config path] config printproxy nginx|haproxy [-certificate file] [-key file]",
  summary: "Print a configuration of nginx or HAProxy in front of the nodes",
  help: `
Prints the configuration of a proxy in front of the Nodes of domains.conf, or of this server alone.

nginx asks AuthHTTP of any node where an account is, so users connect to one name, whichever node has them:
IMAP, POP3 and submission over TLS, and mail from other servers. HAProxy knows no accounts: it spreads
connections over the nodes, which is right for mail from other servers (nodes pass it on to each other); for
the rest it suits one node.

  -certificate, -key   PEM files of the proxy; default /etc/ssl/mox/cert.pem and key.pem. HAProxy wants both
                       in one file, the one of -certificate`,
  async run(args) {
    const [kind, ...rest] = args;
    const { flags } = parseFlags(rest, {
      certificate: "/etc/ssl/mox/cert.pem",
      key: "/etc/ssl/mox/key.pem",
    });
    const config = await loadConfig();
    if (kind === "nginx") writeStdout(nginxConfig(config, flags));
    else if (kind === "haproxy") writeStdout(haproxyConfig(config, flags));
    else throw new UsageError("nginx or haproxy expected");
  },
};

export const nodeCommands: readonly Command[] = [printproxy, key, push, list, move];
