"""Replay: bounded logs counted anew into a run of their own, by the code that counts live."""
