/**
 * Each mechanism of AUTHENTICATE, by a client that others wrote: python's imaplib, with SCRAM (RFC 5802,
 * 7677, 5929) put together there from hashlib and ssl.
 */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { selfSignedCertificate } from "../../src/net/mod.ts";
import { findProgram, lacks } from "../support/programs.ts";
import { login, password, startServer } from "./server.ts";

const script = `
import base64, hashlib, hmac, imaplib, os, ssl, sys

port, user, password, certificate = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]

def connect(show=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if show:
        context.load_cert_chain(show)
    c = imaplib.IMAP4("127.0.0.1", port)
    c.starttls(context)
    return c

class Scram:
    def __init__(self, name, password, hash, binding=None, header=None):
        self.password, self.hash, self.step = password, hash, 0
        self.header = header or (b"p=tls-server-end-point,," if binding else b"n,,")
        self.binding = self.header + (binding or b"")
        self.first = b"n=" + name.replace("=", "=3D").replace(",", "=2C").encode() + b",r=" + base64.b64encode(os.urandom(18))
    def __call__(self, challenge):
        self.step += 1
        if self.step == 1:
            assert challenge == b"", challenge
            return self.header + self.first
        fields = dict(f.split(b"=", 1) for f in challenge.split(b","))
        if self.step == 3:
            assert base64.b64decode(fields[b"v"]) == self.signature, "server signature"
            self.verified = True
            return b""
        salted = hashlib.pbkdf2_hmac(self.hash, self.password.encode(), base64.b64decode(fields[b"s"]), int(fields[b"i"]))
        mac = lambda key, text: hmac.new(key, text, self.hash).digest()
        client = mac(salted, b"Client Key")
        final = b"c=" + base64.b64encode(self.binding) + b",r=" + fields[b"r"]
        message = b",".join([self.first, challenge, final])
        proof = bytes(a ^ b for a, b in zip(client, mac(hashlib.new(self.hash, client).digest(), message)))
        self.signature = mac(mac(salted, b"Server Key"), message)
        return final + b",p=" + base64.b64encode(proof)

def refused(c, mechanism, object, code):
    try:
        c.authenticate(mechanism, object)
    except c.error as e:
        assert code in str(e), (mechanism, e)
        return
    raise Exception(mechanism + " was not refused")

offered = connect().capabilities
for m in ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"]:
    assert "AUTH=" + m in offered, (m, offered)
assert "AUTH=EXTERNAL" not in offered

for hash, name in [("sha256", "SCRAM-SHA-256"), ("sha1", "SCRAM-SHA-1")]:
    c = connect()
    refused(c, name, Scram(user, "wrong", hash), "AUTHENTICATIONFAILED")
    refused(c, name, Scram("nobody@mox.example", password, hash), "AUTHENTICATIONFAILED")
    s = Scram(user, password, hash)
    assert c.authenticate(name, s)[0] == "OK" and s.verified
    assert c.select()[0] == "OK"
    c = connect()
    binding = hashlib.sha256(c.sock.getpeercert(True)).digest()
    # Of another certificate, as one in the middle would have.
    refused(c, name + "-PLUS", Scram(user, password, hash, b"x" * 32), "AUTHENTICATIONFAILED")
    # The client could bind, and was told that the server can't (RFC 5802 §6).
    refused(c, name, Scram(user, password, hash, header=b"y,,"), "AUTHENTICATIONFAILED")
    s = Scram(user, password, hash, binding)
    assert c.authenticate(name + "-PLUS", s)[0] == "OK" and s.verified
    assert c.select()[0] == "OK"

c = connect()
try:
    c.login_cram_md5(user, "wrong")
    raise Exception("not refused")
except c.error as e:
    assert "AUTHENTICATIONFAILED" in str(e), e
assert c.login_cram_md5(user, password)[0] == "OK"

c = connect()
refused(c, "PLAIN", lambda _: ("\\0" + user + "\\0wrong").encode(), "AUTHENTICATIONFAILED")
refused(c, "PLAIN", lambda _: b"no such thing", "BAD")
assert c.authenticate("PLAIN", lambda _: ("\\0" + user + "\\0" + password).encode())[0] == "OK"

c = connect()
answers = iter([user, "wrong", user, password])
refused(c, "LOGIN", lambda _: next(answers).encode(), "AUTHENTICATIONFAILED")
assert c.authenticate("LOGIN", lambda _: next(answers).encode())[0] == "OK"

c = connect()
try:
    c.login(user, "wrong")
    raise Exception("not refused")
except c.error as e:
    assert "AUTHENTICATIONFAILED" in str(e), e
assert c.login(user, password)[0] == "OK"

c = connect(certificate)
assert "AUTH=EXTERNAL" in c.capabilities
refused(c, "EXTERNAL", lambda _: b"fred@mox.example", "AUTHORIZATIONFAILED")
assert c.authenticate("EXTERNAL", lambda _: user.encode())[0] == "OK"
c = connect(certificate)
assert c.authenticate("EXTERNAL", lambda _: b"")[0] == "OK"
assert c.select()[0] == "OK"
print("done")
`;

Deno.test({
  name: "SCRAM with and without channel binding, CRAM-MD5, PLAIN, LOGIN, EXTERNAL: right and wrong",
  ignore: lacks("python3"),
  async fn() {
    const keyCert = await selfSignedCertificate({ names: ["localhost"] });
    const mine = await selfSignedCertificate({ names: ["mjl"] });
    const known = new X509Certificate(mine.cert).raw;
    const s = await startServer({
      keyCert,
      plaintextLogin: false,
      others: ["fred"],
      certificateUsername: (c) => known.equals(c) ? login : undefined,
    });
    try {
      const pem = `${s.dir}/client.pem`;
      await Deno.writeTextFile(pem, `${mine.key}\n${mine.cert}\n`);
      const out = await new Deno.Command(findProgram("python3")!, {
        args: ["-c", script, String(s.port), login, password, pem],
      }).output();
      assert.equal(
        new TextDecoder().decode(out.stdout).trim(),
        "done",
        new TextDecoder().decode(out.stderr),
      );
    } finally {
      await s.stop();
    }
  },
});
