"""Boards as code: every panel is defined once, and shown by Grafana and by the local board alike.

`definitions/` says what a panel is and makes its SQL run without Grafana, `boards/` has them all, `registry` finds
them.
"""
