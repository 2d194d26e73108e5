"""Grafana's boards as Classic JSON, generated from the definitions with grafana-foundation-sdk.

One module a concern: `queries` (SQL as Grafana asks it), `targets` (the plugin's query model), `units`, `fields`
(overrides), `charts` (a panel per kind of chart), `variables`, `boards`. `dashboards.generate` writes the files.
"""
