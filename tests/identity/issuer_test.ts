/** What a provider calls itself, with a slash at its end or without, however the configuration has it. */
import assert from "node:assert/strict";
import { OpenId } from "../../src/identity/mod.ts";
import { Log } from "../../src/log/mod.ts";
import { Authorities, Outbound } from "../../src/net/mod.ts";

Deno.test("a slash too many or missing at the end of Issuer is no matter; another issuer is", async () => {
  let issuer = "";
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () =>
      Response.json({
        issuer,
        authorization_endpoint: "https://id.example/authorize",
        token_endpoint: "https://id.example/token",
        jwks_uri: "https://id.example/keys",
      }),
  );
  const base = `http://127.0.0.1:${server.addr.port}`;
  const begin = async (configured: string) => {
    const openId = new OpenId({
      name: "x",
      conf: {
        Issuer: configured,
        ClientID: "mox",
        ClientSecretFile: "",
        Label: "",
        Scopes: [],
        LoginClaim: "email",
        AllowUnverifiedEmail: false,
        Audiences: [],
        TokenScope: "",
        CreateAccounts: false,
        Administrators: [],
      },
      secret: "",
      outbound: new Outbound({ authorities: Authorities.of(), lookup: () => Promise.resolve([]) }),
      log: new Log("test"),
    });
    return (await openId.begin("https://mail.example/oidc/callback")).url.origin;
  };
  for (const path of ["/app/", "/app"]) {
    issuer = base + path;
    for (const configured of [`${base}/app`, `${base}/app/`]) {
      assert.equal(await begin(configured), "https://id.example", `${configured} is ${issuer}`);
    }
  }
  issuer = `${base}/another`;
  await assert.rejects(begin(`${base}/app`), /does not match/);
});
