"""Drives the practice tenant's sign-in pages as a person with a browser does."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class Forms(HTMLParser):
    """The forms of a page with their fields, and the id of the button in each."""

    def __init__(self):
        super().__init__()
        self.forms = []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "form":
            self.forms.append({"action": found["action"], "fields": {}, "buttons": {}})
        elif tag == "input" and self.forms and "name" in found:
            if found.get("type") != "checkbox":
                self.forms[-1]["fields"][found["name"]] = found.get("value", "")
        elif tag == "button" and self.forms:
            self.forms[-1]["buttons"][found.get("id", found.get("data-account"))] = found


def session(ca_file):
    """A session that trusts this authority and nothing else.

    Without `trust_env = False` REQUESTS_CA_BUNDLE and proxies of the environment win over `verify`.
    """
    made = requests.Session()
    made.trust_env = False
    made.verify = ca_file
    return made


class Browser:
    """A browser that stops where it would leave the practice tenant."""

    def __init__(self, ca_file):
        self.session = session(ca_file)
        self.session.headers["Accept"] = "text/html"
        self.page = None
        self.left_for = None

    def open(self, url):
        self._follow(self.session.get(url, allow_redirects=False))

    def press(self, button, **fields):
        """Fills in fields and presses the button with this id."""
        forms = Forms()
        forms.feed(self.page.text)
        for form in forms.forms:
            if button in form["buttons"]:
                pressed = form["buttons"][button]
                data = {**form["fields"], **fields}
                if "name" in pressed:
                    data[pressed["name"]] = pressed["value"]
                url = urljoin(self.page.url, form["action"])
                self._follow(self.session.post(url, data=data, allow_redirects=False))
                return
        raise SystemExit(f"no button #{button} on this page:\n{self.page.text}")

    def shows(self, text):
        return self.page is not None and text in self.page.text

    def _follow(self, response):
        self.page, self.left_for = response, None
        if response.is_redirect:
            self.left_for = response.headers["Location"]


def user(description, address):
    for found in description["users"]:
        if found["address"] == address:
            return found
    raise SystemExit(f"the practice tenant has no account {address}")


def sign_in(browser, url, account):
    """Signs an account in at an authorization URL; returns the URL it ends at."""
    browser.open(url)
    if browser.shows('id="next"'):
        browser.press("next", loginfmt=account["login"])
    if browser.shows('id="signin"'):
        browser.press("signin", passwd=account["password"])
    if browser.shows('id="accept"'):
        browser.press("accept")
    if not browser.left_for:
        raise SystemExit(f"the sign-in did not end in a redirect:\n{browser.page.text}")
    return browser.left_for
