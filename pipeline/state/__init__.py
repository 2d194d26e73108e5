"""The pure state core: columns of events in; facts, changed cells and credits out. No I/O, `now` passed in.

The way of an event: `intake` judges lateness, `customers` and `costs` remember it, `attribution` and `money` share its
credit, `cells` and `activity` keep the numbers, `rows` carry what a block must make durable.
"""
