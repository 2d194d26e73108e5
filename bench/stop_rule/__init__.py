"""How often the stop rule errs: simulated campaigns of known true ratio, judged by the product's own code.

`python -m bench.stop_rule` measures, and with ``--write`` renews docs/stop-rule.md, its plots and docs/stop-rule.json.
"""
