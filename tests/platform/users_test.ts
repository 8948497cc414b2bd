import assert from "node:assert/strict";
import { join } from "node:path";
import { isLinux, isWindows } from "../../src/platform/os.ts";
import {
  findUser,
  fixPermissions,
  isRoot,
  lookupUser,
  parseTaskStatus,
  statusProblem,
  UserError,
} from "../../src/platform/users.ts";

const passwd = `root:x:0:0:root:/root:/bin/bash
mox:x:998:997:Mail server:/home/mox:/usr/sbin/nologin
broken:x:abc:1::/:
short:x:5
huge:x:4294967295:1:::
`;
const group = `root:x:0:
mox:x:997:
certs:x:200:www,mox
other:x:201:moxy
`;

Deno.test("a user's ids and groups come from passwd and group", () => {
  assert.deepEqual(findUser("mox", passwd, group), {
    name: "mox",
    uid: 998,
    gid: 997,
    groups: [997, 200],
  });
  for (const name of ["nobody", "broken", "short", "huge", ""]) {
    assert.equal(findUser(name, passwd, group), undefined, name);
  }
});

Deno.test("a numeric user is its uid and gid; root and unknown names are refused", async () => {
  assert.deepEqual(await lookupUser("12345"), {
    name: "12345",
    uid: 12345,
    gid: 12345,
    groups: [12345],
  });
  await assert.rejects(lookupUser("no-such-user-here"), /useradd/);
  await assert.rejects(lookupUser("0"), UserError);
});

const status = (uid: number, gid: number, groups: string, caps: string) =>
  `Name:\tmox\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nGid:\t${gid}\t${gid}\t${gid}\t${gid}\n` +
  `Groups:\t${groups} \nCapInh:\t0000000000000000\nCapPrm:\t${caps}\nCapEff:\t${caps}\n`;

Deno.test("a thread that kept anything of root is found", () => {
  const user = { name: "mox", uid: 998, gid: 997, groups: [997, 200] };
  const none = "0000000000000000";
  const problem = (text: string) => statusProblem(parseTaskStatus(text), user);
  assert.equal(problem(status(998, 997, "200 997", none)), undefined);
  assert.equal(problem(status(998, 997, "", none)), undefined);
  assert.match(problem(status(0, 997, "997", none))!, /user ids/);
  assert.match(problem(status(998, 0, "997", none))!, /group ids/);
  assert.match(problem(status(998, 997, "0 997", none))!, /groups 0/);
  assert.match(problem(status(998, 997, "997", "0000000000000400"))!, /capabilities 400/);
  assert.match(problem(status(998, 997, "997", none).replace("Uid:\t998", "Uid:\t0"))!, /user ids/);
  assert.match(problem("nothing")!, /user ids/);
});

Deno.test({
  name: "root becomes another user for good, on all threads, with its sockets still open",
  ignore: !isLinux || !isRoot(),
  fn: async () => {
    const url = (p: string) => new URL(`../../src/platform/${p}`, import.meta.url).href;
    const script = `
      import process from "node:process";
      import { dropPrivileges } from "${url("users.ts")}";
      import { acceptConnections, boundPort, listenTcp } from "${url("net.ts")}";
      const server = await listenTcp({ hostname: "127.0.0.1", port: 0 });
      const client = await Deno.connect({ port: boundPort(server) });
      await client.write(new TextEncoder().encode("early"));
      await dropPrivileges({ name: "x", uid: 54321, gid: 54322, groups: [54322, 54323] });
      const got = await new Promise((resolve) =>
        acceptConnections(server, (c) => c.once("data", (d) => { resolve(String(d)); c.destroy(); })));
      client.close();
      server.close();
      let root = "refused";
      try { Deno.readTextFileSync("/etc/shadow"); root = "readable"; } catch {}
      console.log(JSON.stringify({ uid: Deno.uid(), gid: Deno.gid(), groups: process.getgroups(), got, root, ffi: (await Deno.permissions.query({ name: "ffi" })).state }));
      Deno.exit(0);
    `;
    const out = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-config",
        "data:application/typescript," + encodeURIComponent(script),
      ],
      stdout: "piped",
      stderr: "piped",
    }).output();
    const text = new TextDecoder().decode(out.stdout);
    assert.ok(out.success, new TextDecoder().decode(out.stderr));
    assert.deepEqual(JSON.parse(text), {
      uid: 54321,
      gid: 54322,
      groups: [54322, 54323],
      got: "early",
      root: "refused",
      ffi: "prompt",
    });
  },
});

Deno.test({
  name: "fixPermissions gives a tree to the user, and does not follow links out of it",
  ignore: isWindows || !isRoot(),
  fn: async () => {
    const dir = await Deno.makeTempDir();
    try {
      const tree = join(dir, "data");
      await Deno.mkdir(join(tree, "msg"), { recursive: true });
      await Deno.writeTextFile(join(tree, "msg", "1"), "x");
      await Deno.writeTextFile(join(dir, "outside"), "x");
      await Deno.chmod(join(dir, "outside"), 0o600);
      await Deno.symlink(join(dir, "outside"), join(tree, "link"));
      await Deno.link(join(dir, "outside"), join(tree, "trap"));
      await Deno.mkdir(join(dir, "elsewhere"));
      await Deno.writeTextFile(join(dir, "elsewhere", "file"), "x");
      await Deno.symlink(join(dir, "elsewhere"), join(tree, "folder"));
      // Nobody is at its other end: to open it would wait for ever.
      assert.ok(
        (await new Deno.Command("mkfifo", { args: [join(tree, "pipe")] }).output()).success,
      );
      const owner = { uid: 54321, gid: 54322 };
      const changed = await fixPermissions(tree, owner);
      assert.deepEqual(changed.sort(), [tree, join(tree, "msg"), join(tree, "msg", "1")]);
      const file = Deno.statSync(join(tree, "msg", "1"));
      assert.deepEqual([file.uid, file.gid, file.mode! & 0o777], [54321, 54322, 0o660]);
      assert.equal(Deno.statSync(tree).mode! & 0o777, 0o770);
      for (const name of ["outside", "elsewhere", "elsewhere/file", "data/pipe"]) {
        assert.equal(Deno.statSync(join(dir, name)).uid, 0, name);
      }
      assert.deepEqual(await fixPermissions(tree, owner), []);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
