// A certified OpenID Connect client against the practice tenant.
//
// Usage: NODE_EXTRA_CA_CERTS=CA_FILE node openid_client.mjs DESCRIPTION_JSON
// The description is what `mailroom sandbox --json` prints, of a sandbox that serves HTTPS.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as client from "openid-client";

const description = JSON.parse(readFileSync(process.argv[2], "utf8"));
assert(description.https, "the sandbox does not serve HTTPS");
const { authority } = description.https;
const redirect_uri = "http://localhost:54322/";
const mika = description.users.find(
  (user) => user.address === "mika@contoso.example",
);

/** The forms of a page: where they go, what they hold, which button they end with. */
function forms(html) {
  return [...html.matchAll(/<form[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/gs)].map(
    ([, action, inner]) => ({
      action,
      button: inner.match(/<button[^>]* id="([^"]*)"/)?.[1],
      fields: Object.fromEntries(
        [...inner.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(
          ([, name, value]) => [name, value],
        ),
      ),
    }),
  );
}

/** Signs in as a person does; returns the URL the browser is sent to. */
async function signIn(url, user) {
  const filled = {
    next: { loginfmt: user.login },
    signin: { passwd: user.password },
    accept: {},
  };
  let cookie = "";
  let response = await fetch(url, { redirect: "manual" });
  for (let page = 0; page < 6; page++) {
    const set = response.headers.get("set-cookie");
    if (set) cookie = set.split(";")[0];
    const location = response.headers.get("location");
    if (location) return new URL(location);
    const html = await response.text();
    const form = forms(html).find((form) => form.button in filled);
    assert(form, `no form to go on with:\n${html}`);
    response = await fetch(new URL(form.action, authority), {
      method: "POST",
      redirect: "manual",
      headers: { cookie },
      body: new URLSearchParams({ ...form.fields, ...filled[form.button] }),
    });
  }
  assert.fail("the sign-in does not end");
}

const config = await client.discovery(
  new URL(`${authority}/${description.tenant}/v2.0`),
  description.client_id,
  undefined,
  client.None(),
);
console.log("openid-client: discovery: ok");

const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const expectedNonce = client.randomNonce();
const url = client.buildAuthorizationUrl(config, {
  redirect_uri,
  scope: "openid profile email offline_access User.Read Mail.Read",
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
  state: expectedState,
  nonce: expectedNonce,
});
const tokens = await client.authorizationCodeGrant(config, await signIn(url, mika), {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
  idTokenExpected: true,
});
const claims = tokens.claims();
assert.equal(claims.preferred_username, mika.login);
assert.equal(claims.email, mika.address);
assert.equal(claims.tid, description.tenant);
console.log("openid-client: code, PKCE, nonce and ID token: ok");

const me = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
assert.equal(me.email, mika.address);
console.log("openid-client: user info: ok");

const again = await client.refreshTokenGrant(config, tokens.refresh_token, {
  scope: "openid profile offline_access User.Read",
});
assert.notEqual(again.refresh_token, tokens.refresh_token);
assert.equal(again.claims().sub, claims.sub);
console.log("openid-client: refresh: ok");

await assert.rejects(
  client.refreshTokenGrant(config, "1.no-such-token"),
  (error) => error.error === "invalid_grant" && /^AADSTS70000:/.test(error.error_description),
);
console.log("openid-client: a refusal: ok");
