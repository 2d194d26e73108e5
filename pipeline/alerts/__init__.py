"""Deciding which campaign's return stays below what it must be, and telling those who can stop it."""
