// An OpenID provider (oidc-provider, certified by the OpenID Foundation) for one test.
//
// Usage: node provider.mjs
// The first line it prints is JSON: {"issuer": …}. It ends with its standard input. What a test wants changed comes
// as JSON to /_rig: accessTokenTtl (seconds), tokenBits (how long access tokens are), audience (the one the mail
// server accepts), broken (whether tokens cannot be had), revoke ("tokens": the access tokens that are out; "all": every
// sign-in). The answer counts renewals, and access tokens whose time is not over.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const MAIL = "https://mail.contoso.example";
const settings = { accessTokenTtl: 3600, audience: MAIL, broken: false, tokenBits: 256 };
const grants = new Set();
// Access tokens, and when each ends.
const tokens = new Map();
let renewals = 0;

const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "mailroom",
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: ["http://127.0.0.1/"],
    },
    {
      client_id: "dovecot",
      client_secret: "of-the-mail-server",
      token_endpoint_auth_method: "client_secret_basic",
      grant_types: [],
      response_types: [],
      redirect_uris: [],
    },
  ],
  cookies: { keys: ["only for this test"] },
  scopes: ["openid", "offline_access"],
  claims: { openid: ["sub"], email: ["email"], profile: ["preferred_username", "name"] },
  // The person's claims are in the ID token itself; nobody asks the userinfo endpoint.
  conformIdTokenClaims: false,
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      email: `${id}@contoso.example`,
      preferred_username: id,
      name: id,
    }),
  }),
  features: {
    devInteractions: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: (_ctx, client, token) =>
        client.clientId === "dovecot" && token.aud === settings.audience,
    },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, resource) => ({
        scope: "mail other",
        audience: resource,
        accessTokenFormat: "opaque",
        accessTokenTTL: settings.accessTokenTtl,
      }),
      useGrantedResource: () => true,
    },
  },
  ttl: { AccessToken: () => settings.accessTokenTtl },
  formats: {
    bitsOfOpaqueRandomness: (_ctx, token) =>
      token.kind === "AccessToken" ? settings.tokenBits : 256,
  },
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
});
provider.on("access_token.saved", (token) =>
  tokens.set(token, Date.now() + settings.accessTokenTtl * 1000),
);
provider.on("grant.success", (ctx) => {
  if (ctx.oidc.entities.Grant) grants.add(ctx.oidc.entities.Grant.jti);
  if (ctx.oidc.params.grant_type === "refresh_token") renewals += 1;
});

async function rig(request, response) {
  let text = "";
  for await (const part of request) text += part;
  const { revoke, ...changes } = JSON.parse(text);
  Object.assign(settings, changes);
  for (const token of revoke ? tokens.keys() : []) await token.destroy();
  for (const id of revoke === "all" ? grants : []) {
    await provider.RefreshToken.revokeByGrantId(id);
    await (await provider.Grant.find(id))?.destroy();
  }
  const alive = [...tokens.values()].filter((end) => end > Date.now()).length;
  response.end(JSON.stringify({ renewals, alive }));
}

const answer = provider.callback();
server.on("request", (request, response) => {
  if (request.url === "/_rig") return rig(request, response);
  if (request.url === "/token" && settings.broken) return response.writeHead(503).end();
  return answer(request, response);
});
console.log(JSON.stringify({ issuer }));
process.stdin.resume().on("end", () => process.exit());
