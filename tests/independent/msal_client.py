"""Microsoft's own sign-in library for Python against the practice tenant.

Usage: python msal_client.py DESCRIPTION_JSON
The description is what `mailroom sandbox --json` prints, of a sandbox that serves HTTPS.
Exits with 0 when MSAL signs in, finds its tokens again and refreshes them, and understands a refusal.
"""

import base64
import json
import sys
from urllib.parse import parse_qsl, urlsplit

import msal

from pages import Browser, session, sign_in, user

SCOPES = ["User.Read", "Mail.ReadWrite", "Mail.Send"]


def check(holds, what):
    if not holds:
        raise SystemExit(f"msal: {what}")
    print(f"msal: {what}: ok")


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        description = json.load(file)
    https = description["https"] or sys.exit("msal: the sandbox does not serve HTTPS")
    control = f"{description['authority']}/_sandbox"
    for segment in ("organizations", description["tenant"]):
        app = msal.PublicClientApplication(
            description["client_id"],
            authority=f"{https['authority']}/{segment}",
            instance_discovery=False,
            http_client=session(https["ca_file"]),
        )
        run(app, description, https, control, segment)


def run(app, description, https, control, segment):
    alex = user(description, "alex@contoso.example")
    browser = Browser(https["ca_file"])
    flow = app.initiate_auth_code_flow(
        SCOPES, redirect_uri="http://localhost:54321", login_hint=alex["login"]
    )
    check("auth_uri" in flow, f"starts at /{segment}")
    answer = dict(parse_qsl(urlsplit(sign_in(browser, flow["auth_uri"], alex)).query))
    result = app.acquire_token_by_auth_code_flow(flow, answer)
    check("access_token" in result, f"gets tokens ({result.get('error_description', 'no error')})")
    check(result["id_token_claims"]["preferred_username"] == alex["login"], "knows who signed in")
    check(set(SCOPES) <= set(claims(result["access_token"])["scp"].split()), "has the scopes")

    account = app.get_accounts(alex["login"])[0]
    home = account["home_account_id"].split(".")[1]
    check(home == description["tenant"], "files the account under its home tenant")
    cached = app.acquire_token_silent_with_error(SCOPES, account)
    check(cached["access_token"] == result["access_token"], "finds the token in its cache")
    fresh = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    check(
        "access_token" in fresh and fresh["access_token"] != result["access_token"],
        "refreshes",
    )
    mail = ["https://outlook.office.com/IMAP.AccessAsUser.All"]
    refused = app.acquire_token_silent_with_error(mail, account)
    check(refused["error"] == "invalid_grant", "is refused what nobody consented to")
    check(refused["error_codes"] == [65001], "reads the number of the refusal")
    check(refused["suberror"] == "consent_required", "reads the suberror")

    flow = app.initiate_auth_code_flow(SCOPES + mail, redirect_uri="http://localhost:54321/")
    answer = dict(parse_qsl(urlsplit(sign_in(browser, flow["auth_uri"], alex)).query))
    check("code" in answer, "may ask for two resources at once")
    result = app.acquire_token_by_auth_code_flow(flow, answer, scopes=SCOPES)
    check("access_token" in result, f"redeems for one of them ({result.get('error')})")
    other = app.acquire_token_silent_with_error(mail, account)
    check(claims(other["access_token"])["aud"] == "https://outlook.office.com", "gets the other by refresh")

    web = session(https["ca_file"])
    me = web.get(
        f"{https['authority']}/oidc/userinfo",
        headers={"Authorization": f"Bearer {result['access_token']}"},
        timeout=30,
    )
    check(me.json().get("name") == alex["name"], "reads the user info")

    web.post(f"{control}/revoke-tokens", json={"user": alex["address"]}, timeout=30)
    gone = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    check(gone["error_codes"] == [50173], "hears that its tokens are revoked")
    check(app.get_accounts(alex["login"]) != [], "keeps the account for the next sign-in")
    web.post(f"{control}/withdraw-consent", json={"user": alex["address"]}, timeout=30)


if __name__ == "__main__":
    main()
