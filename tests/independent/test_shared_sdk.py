"""Runs shared_sdk.py among the tests."""

from shared_sdk import main

main()
