"""Runs graph_sdk.py among the tests."""

from graph_sdk import main

main()
